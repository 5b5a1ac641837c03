/** Certificate and private key (PKCS #8), both PEM. Apart from what makes them, so that the library's types need no other's. */
export interface CertifiedKey {
  readonly certPem: string;
  readonly keyPem: string;
}

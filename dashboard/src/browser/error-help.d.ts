declare module 'virtual:error-help' {
  const help: Readonly<Record<string, { readonly text: string; readonly next?: string }>>;
  export default help;
}

/** What `src/protocol` names of Node's `crypto`. The page signs nothing: it only reads texts that people typed. */

export function createHmac(): never {
  throw new Error('Nothing is signed in the browser.');
}

export function timingSafeEqual(): never {
  throw new Error('Nothing is compared in the browser.');
}

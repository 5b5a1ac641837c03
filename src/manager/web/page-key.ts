/**
 * How the page shows its half of a session. Cookies know no ports: the browser sends the other half to whatever is opened at
 * 127.0.0.1. What a page keeps is its origin's, port included, and no browser sends it by itself.
 */

/** Where the page keeps its key: an item of the browser's localStorage. */
export const PAGE_KEY_ITEM = 'hcm-page-key';
/** What each call of the API carries it in. Node has names of headers in small letters. */
export const PAGE_KEY_HEADER = 'hcm-page-key';

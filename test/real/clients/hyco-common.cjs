// What the hyco drivers share: their environment, the relay's address, the token, the event lines.
'use strict';

/** Writes one event line. Synchronous, so that an exit right after it loses nothing. */
function report(event, fields) {
  require('node:fs').writeSync(1, `${JSON.stringify({ event, ...fields })}\n`);
}

function requiredEnv(name) {
  const value = process.env[name];
  if (value === undefined || value === '') {
    console.error(`${name} is not set`);
    process.exit(2);
  }
  return value;
}

/** The libraries' own createRelayListenUri always says port 443, so the address is put together here. */
function relayUri(action) {
  const base = requiredEnv('HYCO_RELAY_URI').replace(/\/+$/, '');
  const id = process.env.HYCO_ID;
  const query = `?sb-hc-action=${action}${id ? `&sb-hc-id=${encodeURIComponent(id)}` : ''}`;
  return `${base}/$hc/${requiredEnv('HYCO_PATH')}${query}`;
}

/** A SAS token made by the library itself; its `sr` keeps the port of the address. */
function signedToken(library, uri) {
  const expirySeconds = Number(process.env.HYCO_TOKEN_SECONDS ?? 3600);
  return library.createRelayToken(uri, requiredEnv('HYCO_KEY_NAME'), requiredEnv('HYCO_KEY'), expirySeconds);
}

module.exports = { report, requiredEnv, relayUri, signedToken };

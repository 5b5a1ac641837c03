// A listener made of Microsoft's unmodified hyco-https: registers one hybrid connection at the relay and gives each
// relayed request to a handler that a module exports, the same handler that the test gives to node:http. It talks
// NDJSON on stdout; the README of the folder above has the contract.
'use strict';
const https = require('hyco-https');
const { report, requiredEnv, relayUri, signedToken } = require('../hyco-common.cjs');

const OPEN = 1; // ws's readyState
const uri = relayUri('listen');
// An `accept` makes hyco-https throw out of its message handler, and its receiver hears nothing afterwards: to end is honest.
process.once('uncaughtException', (error) => {
  report('crashed', { message: error.message });
  process.exit(1);
});

void import(requiredEnv('HYCO_HANDLER')).then(({ handle }) => {
  const server = https.createRelayedServer({ server: uri, token: () => signedToken(https, uri) }, handle);
  server.on('listening', () => {
    report('listening', {});
    server.controlChannel.addEventListener('close', ({ code, reason }) => {
      report('control-closed', { code, reason });
    });
  });
  server.on('error', ({ message }) => {
    report('error', { message });
    process.exit(1);
  });
  const stop = () => {
    const open = server.controlChannel.readyState === OPEN;
    server.on('close', () => process.exit(0));
    server.close();
    if (!open) process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  report('dialing', { uri });
  server.listen();
});

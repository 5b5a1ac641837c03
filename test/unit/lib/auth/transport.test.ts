// The HTTP client of Azure calls, over connections that somebody else dials.
import assert from 'node:assert/strict';
import { createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import { createTransport } from '../../../../src/lib/auth/transport.ts';

describe('the transport to Azure', () => {
  it('ends a request that is aborted while its connection is still being dialed', async () => {
    const stop = new AbortController();
    const transport = await createTransport(() => {
      setImmediate(() => stop.abort());
      return new Promise(() => undefined);
    });
    const request = createPipelineRequest({
      url: 'https://management.example/',
      method: 'GET',
      headers: createHttpHeaders(),
      abortSignal: stop.signal,
    });
    await assert.rejects(transport.sendRequest(request), { name: 'AbortError' });
  });
});

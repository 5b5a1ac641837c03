/** The handler under node:http: the target behind our listener, and what a direct client asks. */
import { createServer } from 'node:http';
import { listenAndSayReady } from '../peers/hops/hop.ts';
import { handle } from './handler.ts';

listenAndSayReady(createServer({ keepAliveTimeout: 60_000 }, handle));

/** All paths that the benchmark knows, by name. */
import { directHttp, hycoHttps, oursHandler, oursHttp } from '../http/paths.ts';
import { ours, oursNative } from '../ours.ts';
import { direct } from './direct.ts';
import { haproxy } from './haproxy.ts';
import { hycoWs } from './hyco-ws.ts';
import { nodeOnread, nodePipe } from './node-pipes.ts';
import { opensshAes128, opensshChacha20 } from './openssh.ts';
import type { Peer } from './peer.ts';
import { wsPipe } from './ws-pipe.ts';

const all = [
  ours,
  oursNative,
  direct,
  nodePipe,
  nodeOnread,
  haproxy,
  wsPipe,
  hycoWs,
  opensshChacha20,
  opensshAes128,
  directHttp,
  oursHttp,
  oursHandler,
  hycoHttps,
];

export const peers: ReadonlyMap<string, Peer> = new Map(all.map((peer) => [peer.name, peer]));

/** What the benchmark asks of a path: the same three hops from an entry port to a target, whoever builds it. */

/** The processes of a path by role; a role that does not exist (direct TCP) is empty. */
export interface PathPids {
  sender: number[];
  relay: number[];
  listener: number[];
}

/** Where an HTTP client asks, and what each of its requests carries. */
export interface HttpEntry {
  /** Without a `/` at its end. */
  url: string;
  headers: Record<string, string>;
  /** '' for none. */
  caPem: string;
}

/** A running path: entry port -> sender -> relay -> listener -> target. */
export interface RunningPath {
  entryPort: number;
  /** Of a path for HTTP requests, which has no entry port. */
  http?: HttpEntry;
  pids: PathPids;
  /** Ends all its processes; resolves when they are gone. */
  stop(): Promise<void>;
}

export interface PathOptions {
  /** True: both legs to the relay are TLS. */
  tls: boolean;
  targetPort: number;
}

export interface Peer {
  /** The name in tables and in --peers. */
  readonly name: string;
  /** Which kinds of legs it can do. */
  readonly legs: readonly ('plain' | 'tls')[];
  /** Why it cannot run here, in words for the reader; undefined when it can. */
  available(): Promise<string | undefined>;
  start(options: PathOptions): Promise<RunningPath>;
}

/**
 * Tokens of people who signed in, kept between two commands: MSAL's cache in a file of mode 0600. Tokens of apps are
 * not kept, since an app can have a new one at any time.
 */
import { loadText, saveText } from '../config/json-file.ts';

/** The parts of MSAL's cache plugin that are used; MSAL itself is no dependency of ours. */
interface CacheContext {
  readonly cacheHasChanged: boolean;
  readonly tokenCache: { serialize(): string; deserialize(text: string): void };
}

interface CachePlugin {
  beforeCacheAccess(context: CacheContext): Promise<void>;
  afterCacheAccess(context: CacheContext): Promise<void>;
}

interface PluginContext {
  readonly cachePluginControl: {
    setPersistence(provider: (options?: { name?: string }) => Promise<CachePlugin>): void;
  };
}

/** What a credential is to be made with so that its tokens are kept in this file. */
export async function tokenCacheOptions(file: string): Promise<{
  tokenCachePersistenceOptions: { enabled: true; name: string; unsafeAllowUnencryptedStorage: true };
}> {
  const { useIdentityPlugin } = await import('@azure/identity');
  useIdentityPlugin((context: unknown) =>
    (context as PluginContext).cachePluginControl.setPersistence((options) =>
      Promise.resolve(fileCache(options?.name ?? file)),
    ),
  );
  // The name of a cache is free text: ours is its path.
  return {
    tokenCachePersistenceOptions: { enabled: true, name: file, unsafeAllowUnencryptedStorage: true },
  };
}

function fileCache(file: string): CachePlugin {
  return {
    async beforeCacheAccess({ tokenCache }) {
      const text = await loadText(file);
      // What is no cache counts as none: whoever is asked to sign in again replaces it.
      if (text !== undefined && isJson(text)) tokenCache.deserialize(text);
    },
    async afterCacheAccess({ cacheHasChanged, tokenCache }) {
      if (cacheHasChanged) await saveText(file, tokenCache.serialize());
    },
  };
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

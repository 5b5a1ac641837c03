/**
 * Learns a cloud from its Resource Manager: the document `/metadata/endpoints`, in each form that has been in use (a
 * small object, a list of clouds, one cloud). Azure Stack Hub has one, the emulator, too.
 */
import { HcmError } from '../../protocol/errors.ts';
import { RELAY_SCOPE, type Cloud } from './cloud.ts';
import { createTransport, type Dial, type Transport } from './transport.ts';

/** Newest first: what a server does not know it refuses with 400. The last is the one of old Azure Stack Hubs. */
const API_VERSIONS = ['2022-09-01', '2019-05-01', '2015-01-01'];
/** How AD FS stands in the document, where an Azure Stack Hub has no Entra ID. Its tenant has this name, too. */
const ADFS_PATH = /\/adfs\/?$/i;

export interface CloudRequest {
  name: string;
  /** Of the Resource Manager: `https://management.local.azurestack.external`. */
  endpoint: string;
  /** Where the document does not say it, which is everywhere but here: what follows the namespace's name in its host. */
  relaySuffix?: string | undefined;
  caFile?: string | undefined;
  dial: Dial;
}

/** @throws HcmError HCM_CLOUD_INVALID; of the network. */
export async function fetchCloud(request: CloudRequest): Promise<Cloud> {
  const armEndpoint = checkEndpoint(request.endpoint);
  const transport = await createTransport(request.dial);
  for (const version of API_VERSIONS) {
    const text = await fetchDocument(transport, `${armEndpoint}/metadata/endpoints?api-version=${version}`);
    const found = text === undefined ? undefined : chooseCloud(parse(text), armEndpoint);
    if (found !== undefined) return toCloud(found, { ...request, armEndpoint });
  }
  throw invalid(
    `${armEndpoint} has no document /metadata/endpoints that tells how to sign in: it is no Resource Manager.`,
  );
}

/** One cloud of the document; the small form names no Resource Manager. */
interface CloudEntry {
  resourceManager?: string;
  portal?: string;
  portalEndpoint?: string;
  authentication?: { loginEndpoint?: string; audiences?: string[]; tenant?: string };
  suffixes?: { relay?: string };
}

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') {
    throw invalid(`The endpoint "${text}" is no address such as https://management.example.com.`);
  }
  return url.origin;
}

async function fetchDocument(transport: Transport, url: string): Promise<string | undefined> {
  const { createPipelineRequest } = await import('@azure/core-rest-pipeline');
  const { status, bodyAsText } = await transport.sendRequest(createPipelineRequest({ url }));
  return status === 200 ? (bodyAsText ?? undefined) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of several, the one of this Resource Manager: public Azure's document lists all of its clouds. */
function chooseCloud(document: unknown, armEndpoint: string): CloudEntry | undefined {
  const entries = (Array.isArray(document) ? document : [document]) as (CloudEntry | undefined)[];
  const usable = entries.filter((entry) => typeof entry?.authentication?.loginEndpoint === 'string');
  return usable.find((entry) => originOf(entry?.resourceManager) === armEndpoint) ?? usable[0];
}

function toCloud(entry: CloudEntry, request: CloudRequest & { armEndpoint: string }): Cloud {
  const { armEndpoint, name, caFile } = request;
  const { loginEndpoint = '', audiences = [], tenant } = entry.authentication ?? {};
  const authority = originOf(loginEndpoint);
  if (authority === undefined) throw invalid(`${armEndpoint} names no address to sign in at.`);
  const isAdfs = ADFS_PATH.test(loginEndpoint);
  const tenantId = isAdfs ? 'adfs' : tenant === 'common' ? undefined : tenant;
  const portal = originOf(entry.portal ?? entry.portalEndpoint);
  const [relaySuffix = '', relayPort] = relayOf(request.relaySuffix ?? entry.suffixes?.relay, armEndpoint);
  return {
    ...{ name, armEndpoint, authority, relaySuffix },
    // With its slash at the end, if it has one: that makes two of them, as the audience asks for.
    armScope: `${audiences[0] ?? armEndpoint}/.default`,
    relayScope: RELAY_SCOPE,
    ...(relayPort === undefined ? {} : { relayPort }),
    ...(portal === undefined ? {} : { portal }),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(caFile === undefined ? {} : { caFile }),
  };
}

/** Azure's documents say nothing of relays; by custom their names end as those of the Resource Manager do. */
function relayOf(suffix: string | undefined, armEndpoint: string): [string, number?] {
  if (suffix === undefined) {
    const { hostname } = new URL(armEndpoint);
    return [`servicebus.${hostname.replace(/^(?:admin)?management\./, '')}`];
  }
  const [host = '', port] = suffix.replace(/^\./, '').split(':');
  return port === undefined ? [host] : [host, Number(port)];
}

function originOf(text: string | undefined): string | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text).origin : undefined;
}

function invalid(message: string): HcmError {
  return new HcmError('HCM_CLOUD_INVALID', message);
}

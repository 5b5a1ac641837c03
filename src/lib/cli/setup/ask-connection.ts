/** The name of the hybrid connection: proposed after the target, checked against those that are there. */
import { HcmError, type ErrorCode } from '../../../protocol/errors.ts';
import { checkResourceName } from '../../../protocol/resource-names.ts';
import { formatTarget, type Target } from '../../../protocol/target.ts';
import type { App } from '../../arm/apps.ts';
import { sameTarget, type ConnectionView } from '../../services/connection-view.ts';
import { namespaceName, type NamespaceAnswer } from '../../services/setup/answers.ts';
import { proposeConnection } from '../../services/setup/proposals.ts';
import { look, type Asking } from './asking.ts';

interface Known {
  app: App | undefined;
  target: Target;
  namespace: NamespaceAnswer;
}

/** @throws HcmError HCM_NAME_INVALID, HCM_RESOURCE_CONFLICT when another connection has the name. */
export async function askConnection(asking: Asking, known: Known): Promise<string> {
  const { given, prompts, reader } = asking;
  const { namespace } = known;
  const others =
    namespace.kind === 'new'
      ? []
      : await look(asking, 'looking for hybrid connections', reader.connections(namespace.namespace));
  if (given.connection !== undefined) {
    const fault = faultOf(given.connection, others, known);
    if (fault !== undefined) throw fault;
    return given.connection;
  }
  const proposal = proposeConnection(known.target, others);
  return prompts.text({
    ...{ id: 'connection', message: 'Name of the hybrid connection?', flag: '--connection NAME' },
    ...{ proposal, unasked: proposal },
    check: (name) => Promise.resolve(faultOf(name, others, known)?.message),
  });
}

/** Why the connection cannot have the name. */
function faultOf(
  name: string,
  others: readonly ConnectionView[],
  { app, target, namespace }: Known,
): HcmError | undefined {
  const fail = (code: ErrorCode, message: string, next: string) =>
    new HcmError(code, message, { details: { next } });
  try {
    checkResourceName('connection', name);
  } catch (error) {
    if (error instanceof HcmError) return error;
    throw error;
  }
  if (app !== undefined && name.includes('/')) {
    const better = name.replaceAll('/', '-');
    return fail(
      'HCM_NAME_INVALID',
      `App Service takes no "/" in the name of a hybrid connection: ${better} would do.`,
      `Take another name: --connection ${better}`,
    );
  }
  const other = others.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (other === undefined) return undefined;
  const full = `${namespaceName(namespace)}/${name}`;
  if (!sameTarget(other.target, formatTarget(target))) {
    const leads = other.target === undefined ? 'has no target' : `leads to ${other.target}`;
    return fail(
      'HCM_RESOURCE_CONFLICT',
      `${full} exists and ${leads}, not ${formatTarget(target)}: take another name.`,
      `hcm connection update ${full} --target ${formatTarget(target)}`,
    );
  }
  return app === undefined || other.requiresClientAuthorization
    ? undefined
    : fail(
        'HCM_RESOURCE_CONFLICT',
        `${full} exists and takes senders without a key, which App Service cannot use: take another name.`,
        `hcm connection show ${full}`,
      );
}

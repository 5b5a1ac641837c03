/** Where connections are to end, and whether that answers from here, which may not be where the listener will run. */
import { isLoopbackName } from '../../../protocol/relay-hosts.ts';
import { formatTarget, parseTarget, type Target } from '../../../protocol/target.ts';
import type { App } from '../../arm/apps.ts';
import { faultOf, look, type Asking } from './asking.ts';

export interface AskedTarget {
  target: Target;
  /** It answered this machine. */
  reachable: boolean;
}

/** @throws HcmError HCM_INPUT_NEEDED. */
export async function askTarget(asking: Asking, app: App | undefined): Promise<AskedTarget> {
  const { given, prompts } = asking;
  if (given.target !== undefined) {
    return { target: given.target, reachable: await tryFromHere(asking, given.target) };
  }
  for (;;) {
    const text = await prompts.text({
      id: 'target',
      message: 'What is to be reached? (HOST:PORT)',
      hint: 'As the machine with the listener reaches it; a host name is best.',
      flag: '--target HOST:PORT',
      check: (typed) => Promise.resolve(targetFault(typed, app)),
    });
    const target = parseTarget(text);
    if (await tryFromHere(asking, target)) return { target, reachable: true };
    const keep = await prompts.yesNo({
      ...{ id: 'target-anyway', message: `Go on with ${formatTarget(target)}?`, proposal: true },
      ...{ flag: '--target HOST:PORT', unasked: true },
    });
    if (keep) return { target, reachable: false };
  }
}

function targetFault(typed: string, app: App | undefined): string | undefined {
  const fault = faultOf(() => parseTarget(typed));
  if (fault !== undefined || app?.linux !== true) return fault;
  const { host } = parseTarget(typed);
  return isLoopbackName(host)
    ? `For an app on Linux, "${host}" is the app itself. Type the host name of the machine.`
    : undefined;
}

async function tryFromHere(asking: Asking, target: Target): Promise<boolean> {
  const { reader, talk } = asking;
  const name = formatTarget(target);
  const probe = await look(asking, `trying ${name} from here`, reader.probe(target));
  if (probe.reached) {
    talk.say(`${talk.paint.green('✔')} ${name} answers from here (${probe.ms} ms).`);
    talk.say(talk.paint.dim('  Here may not be there: what counts is the machine with the listener.'));
    return true;
  }
  talk.warn(`${probe.why}, asked from here.`);
  talk.say(talk.paint.dim('  Here may not be there: on the machine with the listener it may answer.'));
  return false;
}

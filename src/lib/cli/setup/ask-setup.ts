/** The questions of the wizard in their order. Each answer narrows down what the next question proposes. */
import { formatTarget } from '../../../protocol/target.ts';
import type { SetupAnswers } from '../../services/setup/answers.ts';
import { askApp } from './ask-app.ts';
import { askConnection } from './ask-connection.ts';
import { askNamespace } from './ask-namespace.ts';
import { askTarget, type AskedTarget } from './ask-target.ts';
import type { Asking } from './asking.ts';

/**
 * Resolves when all is answered; nothing was changed by then.
 * @throws HcmError HCM_INTERRUPTED when whoever is asked leaves, HCM_INPUT_NEEDED when nobody can be asked, and what
 * is wrong with answers that flags gave.
 */
export async function askSetup(asking: Asking): Promise<SetupAnswers> {
  const app = await askApp(asking);
  const asked = await askTarget(asking, app);
  const { target } = asked;
  const namespace = await askNamespace(asking, { app, target });
  const connection = await askConnection(asking, { app, target, namespace });
  const listen = await askListen(asking, asked);
  return { app, target, namespace, connection, listen };
}

async function askListen({ given, prompts }: Asking, { target, reachable }: AskedTarget): Promise<boolean> {
  if (given.listen !== undefined) return given.listen;
  const here = {
    name: 'here, now',
    value: true,
    short: 'here',
    description: `This machine reaches ${formatTarget(target)}, or will. It listens until Ctrl-C.`,
  };
  const there = {
    name: 'on another machine',
    value: false,
    description: 'You get the command that runs there.',
  };
  return prompts.select({
    ...{ id: 'listen', message: 'Where will the listener run?', flag: '--listen or --no-listen' },
    choices: reachable ? [here, there] : [there, here],
    unasked: false,
  });
}

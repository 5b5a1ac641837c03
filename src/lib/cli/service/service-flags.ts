/** Flags of the commands that install and steer the service. */
import { boolean, string } from '@oclif/core/flags';

export const scopeFlags = {
  user: boolean({
    description: 'The service of this user, without root, instead of the one of the machine.',
  }),
};

/** For images of machines, and tests: files are written below it, and nothing is run. */
export const rootFlags = { root: string({ hidden: true, default: '' }) };

/** Undefined: whichever is installed. */
export function askedScope({ user }: { user: boolean }): 'user' | undefined {
  return user ? 'user' : undefined;
}

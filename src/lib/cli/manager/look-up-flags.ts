/** The flags of `hcm add` about this very command; a file of its own, so that no other command loads them. */
import { azureFlags } from '../azure-flags.ts';

/** How `hcm add` itself asks Azure and the relay for the target: nothing of it reaches the manager. */
export const lookUpFlags = underHeading('TARGET LOOK-UP', azureFlags);

/** The same flags below another heading of the help. */
function underHeading<Flags extends object>(helpGroup: string, flags: Flags): Flags {
  const grouped = Object.entries(flags).map(([name, flag]) => [name, { ...(flag as object), helpGroup }]);
  return Object.fromEntries(grouped) as Flags;
}

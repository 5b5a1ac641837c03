/** Why something is as it is, and what to do: from the manager, else from the chapter of docs/errors.md on its code. */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { Prose } from './text.tsx';

type Help = Readonly<Record<string, { readonly text: string; readonly next?: string }>>;

export interface Trouble {
  /** Empty: it is no error of the manager. */
  readonly code: string;
  readonly message: string;
  readonly next?: string | undefined;
}

/** Loaded when it is needed first. */
export function useHelp(): Help {
  const [help, setHelp] = useState<Help>({});
  useEffect(() => {
    // Where it cannot be had, the manager's own words have to do.
    import('virtual:error-help').then(
      (module) => setHelp(module.default),
      () => undefined,
    );
  }, []);
  return help;
}

/** One line: message and code, then the remedy. */
export function Remedy({ trouble, children }: { trouble: Trouble; children?: ComponentChildren }) {
  const help = useHelp()[trouble.code];
  const next = trouble.next ?? help?.next;
  return (
    <>
      <p class="message">
        {sentence(trouble.message)} {trouble.code !== '' && <code class="code">{trouble.code}</code>}
      </p>
      {next && (
        <p class="next">
          <strong>Next</strong> <Prose text={sentence(next)} />
        </p>
      )}
      {children}
      {help && (
        <details class="help">
          <summary>What {trouble.code} means</summary>
          <p>
            <Prose text={help.text} />
          </p>
        </details>
      )}
    </>
  );
}

/** With a capital and a full stop, unless it is a command, or begins or ends with one. */
export function sentence(text: string): string {
  if (/^hcm /.test(text)) return text;
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?`'"]$/.test(begun) ? begun : `${begun}.`;
}

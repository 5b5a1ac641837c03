/**
 * Variables of the environment in hcm.yaml: `${NAME}`, `${NAME:-default}`, and `$$` for a `$`. They are filled in after
 * the YAML is read, one text at a time, so a value can never change the structure of the file.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Expanded {
  readonly text: string;
  /** Whether a value came from outside, so that it should not be shown. */
  readonly filledIn: boolean;
  /** Variables that the environment does not have. */
  readonly missing: readonly string[];
  /** What looks like a variable and is none. */
  readonly malformed: readonly string[];
}

// `$$`, or `${` with all up to its `}`; a `$` before anything else is just a `$`.
const PATTERN = /\$(?:\$|\{([^}]*)(\}?))/g;
const INSIDE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

/** An empty variable counts as missing, as a pipeline's secret that is not set is empty: `${NAME:-}` allows it. */
export function expandVariables(text: string, env: Environment): Expanded {
  let filledIn = false;
  const missing: string[] = [];
  const malformed: string[] = [];
  const expand = (whole: string, inside: string | undefined, end: string | undefined) => {
    if (inside === undefined) return '$';
    const [, name, fallback] = INSIDE.exec(inside) ?? [];
    if (name === undefined || end !== '}') {
      malformed.push(whole);
      return whole;
    }
    filledIn = true;
    const value = env[name];
    if (value !== undefined && value !== '') return value;
    if (fallback === undefined) missing.push(name);
    return fallback ?? whole;
  };
  return { text: text.replace(PATTERN, expand), filledIn, missing, malformed };
}

/** Writes a text so that `expandVariables` gives it back. */
export function escapeVariables(text: string): string {
  return text.replace(/\$(?=[${])/g, '$$$$');
}

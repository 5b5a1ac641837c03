/**
 * Text that may come from the other side (names, reasons, paths of requests), made fit for a terminal: what would move the
 * cursor, rename the window or turn the writing around becomes a visible mark.
 */

/** C0 but line ends and tabs, DEL, C1 (a terminal takes U+009B for ESC [), and marks that reorder a line (UAX 9). */
const CONTROLS = /(?!\r\n)[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** Those that are colours, ECMA-48 SGR, stay. */
const CONTROLS_BUT_COLORS =
  /(?!\u001b\[[\d;]*m|\r\n)[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const MARK = '\ufffd';

/** `colors`: text that was painted before; whoever wrote parts of it can paint, too, and no more. */
export function printable(text: string, { colors = false }: { colors?: boolean } = {}): string {
  return text.replace(colors ? CONTROLS_BUT_COLORS : CONTROLS, MARK);
}

/** A modal dialog: Escape, its button or a click beside it closes it, and focus returns to where it came from. */
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Symbol } from './icons.tsx';

interface DialogProps {
  title: string;
  /** For whoever has to know whether it is still open. */
  place?: RefObject<HTMLDialogElement | null>;
  onClose: () => void;
  children: (close: () => void) => ComponentChildren;
  /** Text was typed into it: a click beside it is no reason to lose it. */
  keepsText?: boolean;
}

export function Dialog({ title, place, onClose, children, keepsText = false }: DialogProps) {
  const own = useRef<HTMLDialogElement>(null);
  const dialog = place ?? own;
  /** The mouse went down beside it: text that is marked from within to there closes nothing. */
  const pressedBeside = useRef(false);
  const titleId = useId();
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>('[data-first]')?.focus();
  }, [dialog]);
  // Closing gives the focus back; only then may it leave the page.
  const close = () => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={titleId}
      onClose={onClose}
      onPointerDown={({ target }) => (pressedBeside.current = target === dialog.current)}
      onClick={({ target }) => target === dialog.current && pressedBeside.current && !keepsText && close()}
    >
      <div class="dialog-body">
        <div class="dialog-head">
          <h2 id={titleId}>{title}</h2>
          <button type="button" class="button quiet square" onClick={close}>
            <Symbol name="close" />
            <span class="unseen">Close</span>
          </button>
        </div>
        {children(close)}
      </div>
    </dialog>
  );
}

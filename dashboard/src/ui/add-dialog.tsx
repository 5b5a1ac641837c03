/**
 * The form for a new connection. What is wrong is told at its field, and nothing typed is lost by an error. The
 * connection string lives only in its field: it goes to the manager once, and with the dialog it is gone.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Added } from '../../../src/manager/control/operations.ts';
import { EMPTY_FIELDS, fieldOf, readAddFields, type AddFields, type FieldErrors } from '../model/add-form.ts';
import { api } from '../net/api.ts';
import { useAction } from './action.ts';
import { Dialog } from './dialog.tsx';
import { Failure } from './failure.tsx';
import { Field } from './field.tsx';
import { usePage } from './page-context.ts';

export function AddDialog({ onClose }: { onClose: () => void }) {
  const page = usePage();
  const [fields, setFields] = useState<AddFields>(EMPTY_FIELDS);
  const [errors, setErrors] = useState<FieldErrors>({});
  /** What Azure names as the target, for what was typed when it was asked. */
  const [answer, setAnswer] = useState<{ target: string; of: AddFields }>();
  const { dialog, busy, error, run } = useAction(({ code, message }) => {
    const about = fieldOf(code);
    if (about) setErrors({ [about]: message });
    return about !== undefined;
  });
  const form = useRef<HTMLFormElement>(null);
  const { role } = fields;
  const isNamedByAzure = role === 'listener' && fields.target.trim() === '';
  /** It is confirmed by adding; an answer for other fields than those that stand there now confirms nothing. */
  const named = answer?.of === fields ? answer.target : undefined;
  const change = (changed: Partial<AddFields>) => setFields((before) => ({ ...before, ...changed }));
  const field = (name: keyof FieldErrors) => ({
    name,
    value: fields[name],
    error: errors[name],
    onInput: (value: string) => change({ [name]: value }),
  });
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [errors]);
  const submit = async (close: () => void) => {
    const read = readAddFields(fields);
    setErrors('errors' in read ? read.errors : {});
    if ('errors' in read) return;
    const { request } = read;
    if (isNamedByAzure && named === undefined)
      return setAnswer({ ...(await api.namedTarget(request)), of: fields });
    const added = await api.add(isNamedByAzure ? { ...request, pinnedTarget: named } : request);
    const { connection } = added;
    // Before it is shown the page has to know it.
    await page.feed.refresh();
    // Whoever has closed the form looks at something else by now.
    const isOpen = dialog.current?.open;
    setFields(EMPTY_FIELDS);
    close();
    page.say(`${connection.connection} ${outcomeOf(added)}.`);
    if (isOpen) page.go({ view: 'connection', id: connection.id });
  };
  return (
    <Dialog title="Add a connection" place={dialog} onClose={onClose} keepsText>
      {(close) => (
        <form
          ref={form}
          class="form"
          noValidate
          autocomplete="off"
          onSubmit={(event) => {
            event.preventDefault();
            void run(() => submit(close));
          }}
        >
          <fieldset class="roles">
            <legend>What it does here</legend>
            <Role
              value="listener"
              role={role}
              title="Listener"
              text="brings what comes through Azure to a target in this network"
              onChoose={() => change({ role: 'listener' })}
            />
            <Role
              value="forward"
              role={role}
              title="Forward"
              text="gives this machine a local port that leads through Azure"
              onChoose={() => change({ role: 'forward' })}
            />
          </fieldset>
          <Field
            {...field('connectionString')}
            label="Connection string"
            type="password"
            hint={`With the right ${role === 'listener' ? 'Listen' : 'Send'}: portal, the hybrid connection, Shared access policies. It is kept by the manager and never shown again.`}
            placeholder="Endpoint=sb://…"
          />
          <Field
            {...field('name')}
            label="Connection"
            hint="Needed when the string is for a whole namespace, or when there is none: then the manager signs in with Entra ID."
            placeholder="NAMESPACE/NAME"
          />
          {role === 'listener' ? (
            <Field
              {...field('target')}
              label="Target"
              hint="HOST:PORT, as this machine reaches it. Nothing is the one that Azure names; you see it before it counts."
              placeholder="db.corp.local:5432"
            />
          ) : (
            <Field
              {...field('bind')}
              label="Local address"
              hint="[ADDRESS:]PORT; nothing is 127.0.0.1 and any free port."
              placeholder="127.0.0.1:5432"
            />
          )}
          <p role="status" class="named">
            {named !== undefined && (
              <>
                Azure names the target <code>{named}</code>. Streams are led there once you confirm it; when
                it is changed in Azure, it has to be confirmed again.
              </>
            )}
          </p>
          {error && <Failure error={error} />}
          <div class="dialog-foot">
            <button type="button" class="button" onClick={close}>
              Cancel
            </button>
            <button type="submit" class="button primary" aria-disabled={busy}>
              {labelOf({ busy, asks: isNamedByAzure && named === undefined, confirms: named !== undefined })}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

/** First Azure may have to be asked. */
function labelOf({ busy, asks, confirms }: { busy: boolean; asks: boolean; confirms: boolean }): string {
  if (busy) return asks ? 'Asking Azure …' : 'Adding …';
  return confirms ? 'Confirm and add' : 'Add';
}

function outcomeOf({ changed, replaced }: Added): string {
  if (!changed) return 'was there already, just so';
  return replaced ? 'is replaced: it was there with another key or other settings' : 'is added';
}

interface RoleProps {
  value: AddFields['role'];
  role: AddFields['role'];
  title: string;
  text: string;
  onChoose: () => void;
}

function Role({ value, role, title, text, onChoose }: RoleProps) {
  return (
    <label class="role-choice">
      <input type="radio" name="role" value={value} checked={role === value} onChange={onChoose} />
      <span>
        <b>{title}</b> {text}
      </span>
    </label>
  );
}

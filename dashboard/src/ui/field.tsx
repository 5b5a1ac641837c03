/** One text field with its label, its hint, and what is wrong with what stands in it. */
import { useId } from 'preact/hooks';

interface FieldProps {
  name: string;
  label: string;
  hint: string;
  value: string;
  error: string | undefined;
  placeholder: string;
  type?: 'text' | 'password';
  onInput: (value: string) => void;
}

export function Field({ name, label, hint, value, error, placeholder, type = 'text', onInput }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        {...(type === 'password' ? ({ type } as const) : { type: 'text' as const })}
        value={value}
        placeholder={placeholder}
        // Not the password of a person: a browser must not offer to keep it.
        autocomplete={type === 'password' ? 'one-time-code' : 'off'}
        autocapitalize="off"
        spellcheck={false}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? `${id}-hint` : `${id}-error ${id}-hint`}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}

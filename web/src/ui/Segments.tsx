import { type ReactNode, useId } from 'react';

interface Choice<T extends string> {
  value: T;
  title: string;
  /** Shown instead of the title, which is then said only. */
  picture?: ReactNode;
}

interface Props<T extends string> {
  label: string;
  choices: readonly Choice<T>[];
  value: T;
  onChange: (value: T) => void;
  className?: string;
}

/** One of a few, side by side: radios, so that arrow keys move between them. */
export function Segments<T extends string>({ label, choices, value, onChange, className }: Props<T>) {
  const name = useId();
  return (
    <fieldset className={`segments ${className ?? ''}`}>
      <legend className="hidden">{label}</legend>
      {choices.map((c) => (
        <label key={c.value} title={c.picture ? c.title : undefined}>
          <input
            type="radio"
            name={name}
            value={c.value}
            checked={c.value === value}
            onChange={() => onChange(c.value)}
          />
          {c.picture}
          <span className={c.picture ? 'hidden' : undefined}>{c.title}</span>
        </label>
      ))}
    </fieldset>
  );
}

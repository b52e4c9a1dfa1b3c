import { titleOf } from '../../words.js';

/** One property of a JSON schema, as far as options of methods use it. */
interface Property {
  type?: string | string[];
  anyOf?: Property[];
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  multipleOf?: number;
  enum?: unknown[];
}

interface Props {
  prefix: string;
  /** JSON schema of an object. */
  schema: Record<string, unknown>;
  /** What the preset sets. */
  defaults: Record<string, unknown>;
  /** Only what differs. */
  values: Record<string, unknown>;
  onChange: (values: Record<string, unknown>) => void;
}

/** A form made from the schema of a method's options. Only what the user changed is sent. */
export function OptionsForm({ prefix, schema, defaults, values, onChange }: Props) {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Property>);
  const change = (name: string, value: unknown): void => {
    const next = { ...values };
    if (value === undefined) delete next[name];
    else next[name] = value;
    onChange(next);
  };
  return (
    <div className="options">
      {properties.map(([name, property]) => (
        <Option
          key={name}
          id={`${prefix}-${name}`}
          name={name}
          property={property}
          initial={defaults[name] ?? property.default}
          value={values[name]}
          onChange={(value) => change(name, value)}
        />
      ))}
    </div>
  );
}

interface OptionProps {
  id: string;
  name: string;
  property: Property;
  initial: unknown;
  value: unknown;
  onChange: (value: unknown) => void;
}

function Option({ id, name, property, initial, value, onChange }: OptionProps) {
  const variants = property.anyOf ?? [property];
  const kinds = variants.flatMap((v) => v.type ?? []);
  const choices = variants.flatMap((v) => v.enum ?? []);
  const number = variants.find((v) => v.type === 'integer' || v.type === 'number');
  const help = `${id}-help`;
  const description = (property.description ?? '').replaceAll('`', '');
  const title = titleOf(name);

  if (kinds.includes('boolean')) {
    return (
      <div className="option">
        <label className="check">
          <input
            type="checkbox"
            checked={Boolean(value ?? initial)}
            aria-describedby={help}
            onChange={(e) => onChange(e.target.checked === initial ? undefined : e.target.checked)}
          />
          {title}
        </label>
        <p id={help} className="quiet small">
          {description}
        </p>
      </div>
    );
  }
  return (
    <div className="option">
      <label htmlFor={id}>{title}</label>
      {choices.length > 0 ? (
        <select
          id={id}
          value={String(value ?? initial ?? '')}
          aria-describedby={help}
          onChange={(e) => onChange(choices.find((c) => String(c) === e.target.value))}
        >
          {initial === undefined && <option value="">automatic</option>}
          {choices.map((choice) => (
            <option key={String(choice)} value={String(choice)}>
              {String(choice)}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          type={number ? 'number' : 'text'}
          min={number?.minimum ?? number?.exclusiveMinimum}
          max={number?.maximum}
          step={number?.multipleOf ?? (number?.type === 'integer' ? 1 : 'any')}
          placeholder={initial === undefined ? 'automatic' : String(initial)}
          value={value === undefined ? '' : String(value)}
          aria-describedby={help}
          onChange={(e) =>
            onChange(e.target.value === '' ? undefined : number ? Number(e.target.value) : e.target.value)
          }
        />
      )}
      <p id={help} className="quiet small">
        {description}
        {number?.minimum !== undefined &&
          number.maximum !== undefined &&
          ` From ${number.minimum.toLocaleString('en')} to ${number.maximum.toLocaleString('en')}.`}
      </p>
    </div>
  );
}

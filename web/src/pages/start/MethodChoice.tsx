import type { MethodFacts, Preset } from '../../api.js';
import { duration } from '../../format.js';
import { usePastSeconds } from '../compare/pastRuns.js';
import { OptionsForm } from './OptionsForm.js';

/** How one chosen method is to run. */
export interface Choice {
  preset: Preset;
  options: Record<string, unknown>;
}

const PRESETS: { name: Preset; title: string; text: string }[] = [
  { name: 'draft', title: 'Draft', text: 'Soonest. Coarse shape and texture, to see whether the capture works.' },
  { name: 'standard', title: 'Standard', text: 'A good balance; right for most objects.' },
  { name: 'high', title: 'High', text: 'All the detail that the pictures hold. Several times longer.' },
];

export const toRuns = (choices: Record<string, Choice>): ({ method: string } & Choice)[] =>
  Object.entries(choices).map(([method, choice]) => ({ method, ...choice }));

interface Props {
  methods: MethodFacts[];
  choices: Record<string, Choice>;
  onChange: (choices: Record<string, Choice>) => void;
}

/** Which methods run, each with preset and options. Several are compared. */
export function MethodChoice({ methods, choices, onChange }: Props) {
  const past = usePastSeconds();
  const change = (name: string, choice: Choice | undefined): void => {
    const next = { ...choices };
    if (choice) next[name] = choice;
    else delete next[name];
    onChange(next);
  };
  const several = Object.keys(choices).length > 1;
  return (
    <div className="methods">
      {methods.map((method) => {
        const choice = choices[method.name];
        const { unavailable } = method;
        return (
          <fieldset
            key={method.name}
            className={`card method ${choice ? 'chosen' : ''} ${unavailable ? 'unavailable' : ''}`}
          >
            <legend className="hidden">{method.title}</legend>
            <label className="check">
              <input
                type="checkbox"
                checked={choice !== undefined}
                disabled={unavailable !== undefined}
                aria-describedby={unavailable && `unavailable-${method.name}`}
                onChange={(e) =>
                  change(method.name, e.target.checked ? { preset: 'standard', options: {} } : undefined)
                }
              />
              <strong>{method.title}</strong>
            </label>
            <p className="quiet">{method.description}</p>
            {unavailable && (
              <p className="small" id={`unavailable-${method.name}`}>
                <strong>Not available here.</strong> {unavailable.message} {unavailable.remedy}
              </p>
            )}
            {choice && (
              <>
                <div className="presets" role="radiogroup" aria-label={`Preset of ${method.title}`}>
                  {PRESETS.map((preset) => {
                    const seconds = past.get(`${method.name} ${preset.name}`);
                    return (
                      <label key={preset.name} className="preset">
                        <input
                          type="radio"
                          name={`preset-${method.name}`}
                          value={preset.name}
                          checked={choice.preset === preset.name}
                          onChange={() => change(method.name, { ...choice, preset: preset.name })}
                        />
                        <span>
                          <strong>{preset.title}</strong>
                          <span className="quiet small">{preset.text}</span>
                          {seconds !== undefined && (
                            <span className="small">Took {duration(seconds)} here before.</span>
                          )}
                        </span>
                      </label>
                    );
                  })}
                </div>
                <details>
                  <summary>Options</summary>
                  <OptionsForm
                    prefix={method.name}
                    schema={method.options}
                    defaults={method.presets[choice.preset] ?? {}}
                    values={choice.options}
                    onChange={(options) => change(method.name, { ...choice, options })}
                  />
                </details>
              </>
            )}
          </fieldset>
        );
      })}
      {several && <p className="quiet">The methods run one after the other on the same views and are compared.</p>}
    </div>
  );
}

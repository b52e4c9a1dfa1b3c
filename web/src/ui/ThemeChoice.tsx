import { useStore } from '../store.js';
import { Icon } from './Icon.js';
import { Segments } from './Segments.js';
import { setTheme, theme } from './theme.js';

const THEMES = [
  { value: 'auto', title: 'Colours of the system', picture: <Icon name="system" /> },
  { value: 'light', title: 'Light', picture: <Icon name="sun" /> },
  { value: 'dark', title: 'Dark', picture: <Icon name="moon" /> },
] as const;

export function ThemeChoice() {
  return <Segments label="Colours" className="themes" choices={THEMES} value={useStore(theme)} onChange={setTheme} />;
}

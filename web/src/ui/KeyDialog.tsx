import { useState } from 'react';
import { apiKey, setKey } from '../api.js';
import { useStore } from '../store.js';
import { Dialog } from './parts.js';

/** Takes an API key and keeps it in this browser. */
export function KeyDialog({ reason, onClose }: { reason?: string; onClose: () => void }) {
  const had = useStore(apiKey);
  const [text, setText] = useState('');
  return (
    <Dialog title="API key" onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          setKey(text.trim() || undefined);
          onClose();
        }}
      >
        <p>
          {reason ?? 'A service that others can reach asks for a key.'} Make one with <code>plinth keys create</code>.
          It is kept in this browser only.
        </p>
        <label className="field">
          Key
          <input
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={(e) => setText(e.target.value)}
          />
        </label>
        <div className="row end">
          {had && (
            <button
              type="button"
              onClick={() => {
                setKey(undefined);
                onClose();
              }}
            >
              Forget the key
            </button>
          )}
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" className="primary" disabled={text.trim() === ''}>
            Use this key
          </button>
        </div>
      </form>
    </Dialog>
  );
}

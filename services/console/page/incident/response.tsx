import { useState } from 'preact/hooks';
import type { Incident } from '../core/api-types.ts';
import { dayAndClock } from '../core/format.ts';
import { ApiError, sendJson } from '../data/api.ts';
import { Icon } from '../ui/icons.tsx';
import { Text } from '../ui/text.tsx';

interface ResponseProps {
  readonly whole: Incident;
  readonly onWhole: (whole: Incident) => void;
}

const NAME_KEY = 'spanloom-name';

/** Who is on it, and what they know. Kept by the console with name and time. */
export function Response({ whole, onWhole }: ResponseProps) {
  const { incident, notes } = whole;
  const [name, setName] = useState(knownName);
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const send = async (method: 'PUT' | 'POST', path: string, body: object, then: () => void = () => {}) => {
    setBusy(true);
    setProblem('');
    keepName(name);
    try {
      onWhole(
        await sendJson<Incident>(
          method,
          `incidents/${incident.incidentId}/${path}`,
          name.trim() === '' ? body : { ...body, by: name.trim() },
        ),
      );
      then();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
    }
    setBusy(false);
  };
  const addNote = (event: Event) => {
    event.preventDefault();
    if (note.trim() !== '') send('POST', 'notes', { text: note.trim() }, () => setNote(''));
  };
  const isTaken = incident.acknowledgement !== null;
  return (
    <div class="response">
      <p class="row">
        {incident.acknowledgement === null ? (
          <span>Nobody is on it yet.</span>
        ) : (
          <span>
            <b>
              <Text of={incident.acknowledgement.by} max={60} />
            </b>{' '}
            is on it since {dayAndClock(incident.acknowledgement.atMs)}.
          </span>
        )}
        <button
          type="button"
          class={isTaken ? 'button' : 'button primary'}
          disabled={busy}
          onClick={() => send('PUT', 'acknowledgement', { acknowledged: !isTaken })}
        >
          <Icon name={isTaken ? 'close' : 'check'} /> {isTaken ? 'Give it back' : 'Acknowledge'}
        </button>
      </p>
      <label class="compact">
        <span class="faint">as</span>
        <input
          value={name}
          placeholder="your name"
          maxLength={200}
          autocomplete="name"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <ul class="notes">
        {notes.map(({ by, atMs, text }, at) => (
          <li key={`${atMs}${at}`}>
            <span class="faint">
              <Text of={by} max={60} />, {dayAndClock(atMs)}
            </span>
            <p>
              <Text of={text} max={10_000} />
            </p>
          </li>
        ))}
      </ul>
      <form onSubmit={addNote}>
        <label class="field">
          <span>Add a note</span>
          <textarea
            rows={2}
            maxLength={10_000}
            value={note}
            placeholder="What you know, what you have tried"
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button" disabled={busy || note.trim() === ''}>
          Add the note
        </button>
      </form>
      {problem !== '' && (
        <p class="field-problem" role="alert">
          It was not stored: {problem}
        </p>
      )}
    </div>
  );
}

function knownName(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    return '';
  }
}

function keepName(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // It is asked for again, then.
  }
}

import type { TapStartReply } from '@gatehouse/protocol';
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { connection, connectionState, sentenceOf } from '../data/connection.js';
import { readContract } from '../data/contract.js';
import { isAdmin } from '../data/token.js';
import { route } from '../router.js';
import { ask } from '../ui/ask.js';
import { Field, Missing } from '../ui/parts.js';
import { shown } from '../ui/text.js';
import { isTapAsked } from './tap-link.js';
import { Lines, useLines } from './tap-lines.js';

const SUBJECTS = [
  ['userId', 'User'],
  ['sessionId', 'Session'],
  ['channel', 'Channel'],
  ['type', 'Type of message'],
] as const;
type Subject = (typeof SUBJECTS)[number][0];

interface Running extends TapStartReply {
  readonly subject: Subject;
  readonly value: string;
  readonly showsPayload: boolean;
}

export function Tap(): VNode {
  const { fields } = route.value;
  const given = SUBJECTS.find(([name]) => fields.has(name))?.[0] ?? 'userId';
  return (
    <>
      <h1>Tap</h1>
      <p class="quiet">
        Live traffic of one user, session, channel or type of message, from all nodes: at most 50 lines a second, for
        ten minutes. Every tap is in the audit log, and its connection counts as a session of yours.
      </p>
      {isAdmin.value ? (
        <LiveTap key={`${given} ${fields.get(given) ?? ''}`} subject={given} value={fields.get(given) ?? ''} />
      ) : (
        <p class="warning">A tap needs the role ADMIN.</p>
      )}
    </>
  );
}

function LiveTap({
  subject: firstSubject,
  value: firstValue,
}: {
  readonly subject: Subject;
  readonly value: string;
}): VNode {
  const [subject, setSubject] = useState<Subject>(firstSubject);
  const [running, setRunning] = useState<Running>();
  const [message, setMessage] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const [what, setWhat] = useState('');
  const lines = useLines();
  const types = useTypes(subject === 'type');

  const start = async (showsPayload: boolean): Promise<string> => {
    const value = input.current?.value.trim() ?? '';
    setMessage('');
    try {
      const request = { [subject]: value, ...(showsPayload && { payload: true }) };
      lines.begin();
      const reply = (await connection().request('tap.start', request)) as TapStartReply;
      setWhat(`${labelOf(subject).toLowerCase()} ${shown(value, 64)}`);
      setRunning({ ...reply, subject, value, showsPayload });
      return '';
    } catch (error) {
      setMessage(sentenceOf(error));
      return '';
    }
  };
  const stop = async (): Promise<void> => {
    setRunning(undefined);
    await connection()
      .request('tap.stop')
      .catch((error: unknown) => setMessage(sentenceOf(error)));
  };
  useEnd(running, (why) => {
    setRunning(undefined);
    setMessage(why);
  });
  useEffect(() => {
    if (isTapAsked()) void start(false);
  }, []);
  const showPayloads = (): void =>
    ask({
      title: 'Show payloads?',
      consequence: 'You will see what users write. The audit log records it with your name.',
      verb: 'Show payloads',
      act: () => start(true),
    });

  return (
    <>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void start(false);
        }}
      >
        <Field label="Watch">
          <select value={subject} onChange={({ currentTarget }) => setSubject(currentTarget.value as Subject)}>
            {SUBJECTS.map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <Field label={labelOf(subject)}>
          <input
            ref={input}
            data-search
            required
            list="tap-types"
            defaultValue={firstValue}
            maxLength={256}
            spellcheck={false}
          />
        </Field>
        <datalist id="tap-types">
          {types.map((type) => (
            <option key={type} value={type} />
          ))}
        </datalist>
        <button type="submit" class="main">
          {running === undefined ? 'Start' : 'Start again'}
        </button>
        {running === undefined ? null : (
          <>
            <button type="button" onClick={() => void stop()}>
              Stop
            </button>
            {running.showsPayload ? null : (
              <button type="button" onClick={showPayloads}>
                Show payloads…
              </button>
            )}
          </>
        )}
      </form>
      {message === '' ? null : (
        <p class="failure" role="alert">
          {message}
        </p>
      )}
      <Missing nodes={running?.missing ?? []} />
      <Lines running={running} what={what} hint={hintFor(running, types)} {...lines} />
    </>
  );
}

function labelOf(subject: Subject): string {
  return SUBJECTS.find(([name]) => name === subject)?.[1] ?? '';
}

function hintFor(running: Running | undefined, types: readonly string[]): string {
  if (running?.subject !== 'type' || types.length === 0 || types.includes(running.value)) {
    return 'Lines appear here as messages pass.';
  }
  return 'The contract has no request of this type. Lines appear if the server sends such messages.';
}

/** The types of requests, to choose from. None if the server does not show its contract. */
function useTypes(isWanted: boolean): readonly string[] {
  const [types, setTypes] = useState<readonly string[]>([]);
  useEffect(() => {
    if (!isWanted) return undefined;
    const abort = new AbortController();
    readContract(abort.signal).then(
      (found) => setTypes(found.map(({ type }) => type)),
      () => setTypes([]),
    );
    return () => abort.abort();
  }, [isWanted]);
  return isWanted ? types : [];
}

/** A tap ends with its connection, and when the server says so. */
function useEnd(running: Running | undefined, onEnd: (why: string) => void): void {
  const state = connectionState.value;
  useEffect(() => {
    if (running !== undefined && state !== 'open')
      onEnd('The connection was lost, and the tap with it. Start it again.');
  }, [state]);
  useEffect(() => {
    if (running === undefined) return undefined;
    return connection().on('tap.end', (end) => {
      const { reason } = end as { readonly reason: string };
      onEnd(
        reason === 'time' ? 'The tap has ended: ten minutes are over.' : 'The tap has ended: your rights have changed.',
      );
    });
  }, [running]);
}

import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { connection, connectionState, reasonOf, sentenceOf } from '../data/connection.js';
import { readContract, sampleOf, type MessageType } from '../data/contract.js';
import { hrefOf, route } from '../router.js';
import { Field, Panel, Pill } from '../ui/parts.js';
import { payloadOf } from '../ui/payload.js';
import { shownLines } from '../ui/payload-view.js';
import { json } from '../ui/text.js';

/** Characters of a reply that are shown. */
const MAX_SHOWN = 20_000;

export function Messages(): VNode {
  const [types, setTypes] = useState<readonly MessageType[]>();
  const [failure, setFailure] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    readContract(abort.signal).then(
      setTypes,
      (error: unknown) => !abort.signal.aborted && setFailure(sentenceOf(error)),
    );
    return () => abort.abort();
  }, []);
  const chosen = types?.find(({ type }) => type === route.value.subject) ?? types?.find(({ type }) => type === 'echo');
  return (
    <>
      <h1>Requests</h1>
      <p class="quiet">
        Every message that clients may send, as the contract of this server says. Try one: the page then opens a
        connection, which counts as a session of yours.
      </p>
      {failure === '' ? null : (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      {types === undefined && failure === '' ? <p class="loading">Loading…</p> : null}
      {types === undefined ? null : (
        <div class="master">
          <nav aria-label="Types of messages" class="list">
            {types.map(({ type }) => (
              <a key={type} href={hrefOf('messages', type)} aria-current={type === chosen?.type ? 'true' : undefined}>
                {type}
              </a>
            ))}
          </nav>
          {chosen === undefined ? (
            <p class="empty">Choose a type.</p>
          ) : (
            <TryMessage key={chosen.type} message={chosen} />
          )}
        </div>
      )}
    </>
  );
}

function TryMessage({ message: { type, data, reply } }: { readonly message: MessageType }): VNode {
  const input = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(data === undefined ? '' : json(sampleOf(data), 2));
  const [answer, setAnswer] = useState<{ readonly text: string; readonly isBad: boolean }>();
  const [isSending, setSending] = useState(false);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setSending(true);
    const startedAt = performance.now();
    try {
      const replied: unknown = await connection().request(type, text.trim() === '' ? undefined : payloadOf(text));
      const ms = (performance.now() - startedAt).toFixed(1);
      setAnswer({
        text: `${shownLines(json(replied, 2) || 'no data', MAX_SHOWN)}\n\n${ms} ms`,
        isBad: false,
      });
    } catch (error) {
      setAnswer({ text: await reasonOf(error), isBad: true });
    }
    setSending(false);
  };
  return (
    <div>
      <Panel
        title={type}
        note={
          <Pill
            mood={connectionState.value === 'open' ? 'good' : 'plain'}
          >{`connection ${connectionState.value}`}</Pill>
        }
      >
        <form class="stack" onSubmit={(event) => void send(event)}>
          <Field label="Data, JSON or text">
            <textarea
              ref={input}
              rows={Math.min(12, text.split('\n').length + 2)}
              spellcheck={false}
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </Field>
          <div class="actions">
            <button type="submit" class="main" disabled={isSending}>
              {isSending ? 'Sending…' : 'Send'}
            </button>
          </div>
        </form>
        {answer === undefined ? null : (
          <pre class={answer.isBad ? 'bad' : undefined} role="status" tabIndex={0}>
            {answer.text}
          </pre>
        )}
      </Panel>
      <div class="columns">
        <Panel title="With the client library">
          <pre tabIndex={0}>{codeOf(type, text)}</pre>
        </Panel>
        <Panel title="Schema">
          <h3>Data</h3>
          <pre tabIndex={0}>{data === undefined ? 'none' : json(data, 2)}</pre>
          <h3>Reply</h3>
          <pre tabIndex={0}>{reply === undefined ? 'none' : json(reply, 2)}</pre>
        </Panel>
      </div>
    </div>
  );
}

function codeOf(type: string, text: string): string {
  const data = text === '' ? '' : `, ${text}`;
  return `import { createClient } from '@gatehouse/client';

const client = createClient({ url, token });
const reply = await client.request('${type}'${data});`;
}

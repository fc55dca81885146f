import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { refusal, refused, signIn } from '../data/token.js';
import { Field } from '../ui/parts.js';

export function SignIn(): VNode {
  const input = useRef<HTMLTextAreaElement>(null);
  return (
    <main class="sign-in">
      <h1>Gatehouse console</h1>
      {refusal.value === '' ? null : (
        <p class="failure" role="alert">
          {refusal.value}. Correct the token, or paste a new one.
        </p>
      )}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          signIn(input.current?.value ?? '');
        }}
      >
        <Field label="Token">
          <textarea
            ref={input}
            rows={4}
            required
            autofocus
            spellcheck={false}
            autocomplete="off"
            placeholder="eyJ…"
            defaultValue={refused.value}
            onFocus={({ currentTarget }) => currentTarget.select()}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || event.shiftKey) return;
              event.preventDefault();
              event.currentTarget.form?.requestSubmit();
            }}
          />
        </Field>
        <button type="submit" class="main">
          Sign in
        </button>
      </form>
      <p class="quiet">
        The token needs the role <code>ADMIN</code>, <code>SERVICE</code> or <code>VIEWER</code>. It stays in this tab
        and is forgotten when you close it. To make one for development:
      </p>
      <pre tabIndex={0}>npm run -s token -- --sub operator --roles ADMIN</pre>
    </main>
  );
}

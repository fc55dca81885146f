import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface SearchBoxProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly onSearch: (text: string) => void;
}

/** The field that the key / goes to. */
export function SearchBox({ label, hint, value, onSearch }: SearchBoxProps): VNode {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current) input.current.value = value;
  }, [value]);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(input.current?.value.trim() ?? '');
      }}
    >
      <label>
        <span class="hidden">{label}</span>
        <input
          ref={input}
          type="search"
          data-search
          defaultValue={value}
          placeholder={`${label} (press / to search)`}
          title={hint}
          autocomplete="off"
          spellcheck={false}
          onSearch={() => input.current?.value === '' && value !== '' && onSearch('')}
        />
      </label>
      <button type="submit">Search</button>
    </form>
  );
}

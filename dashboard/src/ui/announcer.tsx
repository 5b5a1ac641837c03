/** Changes of state for those who listen: at most one sentence in a while, however much happens. */
import { useEffect, useState } from 'preact/hooks';
import { sentenceOf } from '../model/states.ts';
import { usePage } from './page-context.ts';

const SENTENCE_MS = 3_000;

export function Announcer() {
  const { feed } = usePage();
  const [text, setText] = useState('');
  useEffect(() => {
    const timer = setInterval(() => {
      const changes = feed.takeChanges();
      if (changes.size > 0) setText(sentenceOf(changes));
    }, SENTENCE_MS);
    return () => clearInterval(timer);
  }, [feed]);
  return (
    <p class="unseen" role="status">
      {text}
    </p>
  );
}

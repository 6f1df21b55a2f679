/** Requests one after the other until it is stopped; gives what went wrong: no answer in 10 s, a reset, or a status of 500 and above. */
export function loadOn(url: string): () => Promise<{ answered: number; failures: string[] }> {
  const stopped = new AbortController();
  const failures: string[] = [];
  let answered = 0;
  const ask = async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      await response.arrayBuffer();
      if (response.status < 500) answered += 1;
      else failures.push(`${response.status}`);
    } catch (error) {
      failures.push(String(error));
    }
  };
  const going = (async () => {
    while (!stopped.signal.aborted) {
      await ask();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return async () => {
    stopped.abort();
    await going;
    return { answered, failures };
  };
}

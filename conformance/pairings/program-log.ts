/** What Kubernetes' programs complain of under Kubernetes' own API server as well, and why. */
const usual: readonly (readonly [complaint: RegExp, why: string])[] = [
  [/The manifest file is empty, ignoring/, "said at every start, of a file that nobody names"],
  [
    /is not as new as written version/,
    "controllers of 1.36 wait until they see their own writes, and say each time that they do",
  ],
  [/Operation cannot be fulfilled on .* the object has been modified/, "somebody else was faster; it is tried again"],
  [/unexpected items still remain in namespace/, "pods outlast their grace period a little"],
  [/because it is being terminated/, "a controller has not heard yet that the namespace ends"],
  [/can't anneal migration annotations or finalizer/, "a volume ends in the moment in which it is looked at"],
  [/Status after running PostFilter plugins for pod/, "a pod waits for its claim to be bound"],
  [/metrics\.k8s\.io|failed to get cpu utilization/, "nobody has measured yet"],
  [/^(?=.*\b(fact-\d+-\d+|bookmeup)\b).* not found"/, "what a test made goes while somebody looks at it"],
  [/persistentvolumes \S+ not found/, "so do the volumes of its claims"],
];

/** What a program of Kubernetes complained of (klog: lines that begin with W, E or F), without what is usual. */
export function faultsIn(log: string): string[] {
  return log
    .split("\n")
    .filter((line) => /^[WEF]\d{4} /.test(line) && !usual.some(([complaint]) => complaint.test(line)));
}

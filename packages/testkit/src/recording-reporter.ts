import type { Report, Reporter } from "@dhow/base";

/** Keeps what an engine reported, for a test to look at. */
export class RecordingReporter implements Reporter {
  readonly reports: Report[] = [];

  report(report: Report): void {
    this.reports.push(report);
  }

  kinds(): string[] {
    return this.reports.map((report) => report.kind);
  }
}

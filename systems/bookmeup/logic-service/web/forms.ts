// Forms that say beside the field what is wrong with it, and take the reader there.
import { Refused } from "./api.ts";
import { type Child, h, newId, replaceChildren } from "./dom.ts";

export type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

export interface FieldOptions {
  readonly label: string;
  readonly hint?: string;
  readonly control: Control;
  /** The field's name in the service's answers. */
  readonly name: string;
}

/** A label, its control, what helps to fill it in, and a place for what is wrong. */
export function field({ label, hint, control, name }: FieldOptions): HTMLElement {
  const [id, hintId, faultId] = [newId(), newId(), newId()];
  control.id = id;
  control.dataset["field"] = name;
  control.setAttribute("aria-describedby", [hint ? hintId : "", faultId].filter(Boolean).join(" "));
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    hint ? h("p", { class: "hint", id: hintId }, hint) : undefined,
    h("p", { class: "fault", id: faultId }),
  );
}

function clearFaults(form: HTMLFormElement): void {
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  for (const fault of form.querySelectorAll(".fault")) fault.textContent = "";
}

/** Shows a refusal at its field where it names one that is there, else above the buttons. */
function showFault(form: HTMLFormElement, error: unknown): void {
  const refused = error instanceof Refused ? error : new Refused(0, "FAILED", "Something went wrong on this page.");
  if (!(error instanceof Refused)) console.error(error);
  const names = [refused.field, refused.field?.split(".", 1)[0]];
  const control = names
    .map((name) => name && form.querySelector<HTMLElement>(`[data-field="${CSS.escape(name)}"]`))
    .find(Boolean);
  const id = control ? control.getAttribute("aria-describedby")?.split(" ").at(-1) : undefined;
  const place = (id && form.querySelector(`#${id}`)) || form.querySelector(".form-fault");
  if (place) place.textContent = refused.message;
  if (!control) return;
  control.setAttribute("aria-invalid", "true");
  control.focus();
}

export interface FormOptions {
  readonly submit: string;
  readonly children: Child;
  readonly beside?: Child;
  readonly act: () => Promise<void>;
}

/** A form with one button; while it acts, it cannot be sent again. */
export function form({ submit, children, beside, act }: FormOptions): HTMLFormElement {
  const button = h("button", { class: "primary" }, submit);
  const element: HTMLFormElement = h(
    "form",
    { novalidate: true },
    children,
    h("p", { class: "fault form-fault", role: "alert" }),
    h("div", { class: "actions" }, button, beside),
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled")) return;
    clearFaults(element);
    button.setAttribute("aria-disabled", "true");
    act()
      .catch((error: unknown) => showFault(element, error))
      .finally(() => button.removeAttribute("aria-disabled"));
  });
  return element;
}

export interface Question {
  readonly title: string;
  readonly about: Child;
  readonly yes: string;
  readonly no: string;
  readonly isDanger?: boolean;
  /** Does it; a refusal is shown in the dialog, which then stays. */
  readonly act: () => Promise<void>;
}

/** Asks before something is done. Resolves with whether it was. The focus goes back to where it was. */
export function ask({ title, about, yes, no, isDanger = false, act }: Question): Promise<boolean> {
  const [titleId, aboutId] = [newId(), newId()];
  const fault = h("p", { class: "fault", role: "alert" });
  const confirm = h("button", { class: isDanger ? "danger" : "primary", type: "button" }, yes);
  const back = h("button", { type: "button" }, no);
  const dialog = h(
    "dialog",
    { "aria-labelledby": titleId, "aria-describedby": aboutId },
    h("h2", { id: titleId }, title),
    h("div", { id: aboutId }, about),
    fault,
    h("div", { class: "actions" }, confirm, back),
  );
  document.body.append(dialog);
  dialog.showModal();
  confirm.focus();
  return new Promise((resolve) => {
    let isDone = false;
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(isDone);
    });
    back.addEventListener("click", () => dialog.close());
    confirm.addEventListener("click", () => {
      if (confirm.getAttribute("aria-disabled")) return;
      confirm.setAttribute("aria-disabled", "true");
      replaceChildren(fault);
      act()
        .then(() => {
          isDone = true;
          dialog.close();
        })
        .catch((error: unknown) => {
          fault.textContent = error instanceof Refused ? error.message : "Something went wrong on this page.";
        })
        .finally(() => confirm.removeAttribute("aria-disabled"));
    });
  });
}

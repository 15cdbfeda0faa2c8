import { attribute, type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';
import { readableText } from './xml-text.ts';

/** A field of a form as it is shown (XEP-0004 §3.2). */
export interface ShownField {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly description?: string | undefined;
  readonly required: boolean;
  readonly values: readonly string[];
  readonly options: ReadonlyArray<{ readonly label: string; readonly text: string }>;
  /** What a client may check by itself (XEP-0122). */
  readonly number?: { readonly datatype: string; readonly min?: number; readonly max?: number } | undefined;
}

/** A form for people to fill in. */
export function formElement(
  { title, instructions }: { readonly title: string; readonly instructions?: string | undefined },
  fields: readonly ShownField[],
): Element {
  const form = xml('x', { xmlns: NS.dataForms, type: 'form' }, xml('title', {}, readableText(title)));
  if (instructions !== undefined) form.append(xml('instructions', {}, readableText(instructions)));
  for (const field of fields) form.append(fieldElement(field));
  return form;
}

function fieldElement({ name, label, type, description, required, values, options, number }: ShownField): Element {
  const field = xml('field', { var: name, type, label: readableText(label) });
  if (description !== undefined) field.append(xml('desc', {}, readableText(description)));
  if (required) field.append(xml('required'));
  for (const value of values) field.append(xml('value', {}, readableText(value)));
  for (const each of options)
    field.append(xml('option', { label: readableText(each.label) }, xml('value', {}, readableText(each.text))));
  if (number) field.append(validation(number));
  return field;
}

function validation({ datatype, min, max }: NonNullable<ShownField['number']>): Element {
  const range = {
    ...(min === undefined ? {} : { min: String(min) }),
    ...(max === undefined ? {} : { max: String(max) }),
  };
  const how = min === undefined && max === undefined ? xml('basic') : xml('range', range);
  return xml('validate', { xmlns: NS.validation, datatype }, how);
}

/** Values to be read. */
export function resultElement(title: string, values: ReadonlyArray<readonly [name: string, text: string]>): Element {
  const fields = values.map(([name, text]) =>
    xml(
      'field',
      { var: readableText(name), type: 'text-single', label: readableText(name) },
      xml('value', {}, readableText(text)),
    ),
  );
  return xml('x', { xmlns: NS.dataForms, type: 'result' }, xml('title', {}, readableText(title)), ...fields);
}

/** The values of a form that came back, by field. Total. */
export function filledIn(form: Element): ReadonlyMap<string, readonly string[]> {
  const fields = form.getChildren('field').flatMap((field) => {
    const name = attribute(field, 'var');
    return name === undefined ? [] : [[name, field.getChildren('value').map((value) => value.getText())] as const];
  });
  return new Map(fields);
}

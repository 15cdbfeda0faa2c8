import { BODY_FORMS, encodeBody, Rejected } from '@magpie/contract';
import { checkOutput } from '../expression/budget.ts';
import type { Language, Scope } from '../expression/expression.ts';
import { toJsonValue } from '../expression/values.ts';
import type { Report } from '../report.ts';
import { compileTemplate } from '../template/template.ts';
import { compileTree } from '../template/tree.ts';

/** Bytes and media type of a mapped body. */
export interface MappedBody {
  readonly body: Uint8Array;
  readonly contentType?: string;
}

/** How a target makes its body; absent when the body passes unchanged. */
export interface BodyMapping {
  render(scope: Scope): MappedBody;
}

type Forms = Readonly<Record<(typeof BODY_FORMS)[number], unknown>>;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Compiles `payload`, `text` or `base64`; `null` when none is given, undefined after reporting. */
export function compileBody(keys: Partial<Forms>, language: Language, report: Report): BodyMapping | null | undefined {
  const given = BODY_FORMS.filter((form) => keys[form] !== undefined);
  if (given.length > 1) {
    const hint = 'keep one; with none of payload, text and base64 the body passes unchanged';
    return void report.error(`${given.join(' and ')} cannot both be the body`, { hint });
  }
  if (keys.payload !== undefined) return compilePayload(keys.payload, language, report.at('payload'));
  if (typeof keys.text === 'string') return compileText(keys.text, language, report.at('text'));
  return typeof keys.base64 === 'string' ? compileBase64(keys.base64, language, report.at('base64')) : null;
}

function compilePayload(payload: unknown, language: Language, report: Report): BodyMapping | undefined {
  const tree = compileTree(payload, language, report);
  return tree && { render: (scope) => encoded({ payload: toJsonValue(tree.value(scope)) }) };
}

function compileText(source: string, language: Language, report: Report): BodyMapping | undefined {
  const template = compileTemplate(source, language, report);
  return template && { render: (scope) => encoded({ text: template.text(scope) }) };
}

function compileBase64(source: string, language: Language, report: Report): BodyMapping | undefined {
  const template = compileTemplate(source, language, report);
  if (template === undefined) return undefined;
  if (template.constant !== undefined && !BASE64.test(template.constant)) {
    return void report.error('expected base64 (RFC 4648, with padding)');
  }
  return {
    render: (scope) => {
      const value = template.value(scope);
      if (value instanceof Uint8Array) {
        checkOutput(value.byteLength);
        return { body: value };
      }
      if (typeof value === 'string' && BASE64.test(value)) return encoded({ base64: value });
      throw new Rejected(`${report.pointer}: the result is not base64 (RFC 4648, with padding)`);
    },
  };
}

function encoded(forms: Parameters<typeof encodeBody>[0]): MappedBody {
  const made = encodeBody(forms);
  if (made === undefined) throw new Rejected('no body was made');
  checkOutput(made.body.byteLength);
  return made;
}

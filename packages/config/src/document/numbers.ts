import { exactNumber, type JsonNumber } from '@magpie/contract';
import type { Scalar } from 'yaml';

/** A decimal of YAML 1.2 (core schema): sign, digits, fraction and exponent, all but some digits optional. */
const DECIMAL = /^([-+]?)(\d*)(?:\.(\d*))?([eE][-+]?\d+)?$/;

/**
 * The value of a scalar: a number that a double cannot hold keeps its digits, anything else is the YAML library's
 * value. Called once per scalar of a file.
 */
export function scalarValue({ value, source }: Scalar): unknown {
  if (typeof value !== 'number' || source === undefined) return value;
  const decimal = DECIMAL.exec(source);
  if (decimal !== null) return exactDecimal(decimal);
  return Number.isSafeInteger(value) || !/^0[xo]/.test(source) ? value : exactNumber(BigInt(source).toString());
}

function exactDecimal([, sign, whole = '', fraction = '', exponent = '']: RegExpExecArray): number | JsonNumber {
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  return exactNumber(`${sign === '-' ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}${exponent}`);
}

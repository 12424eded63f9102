/** The most nonspacing marks on one character: the limit of Unicode's UTS #39, section 5.4. */
export const MAX_MARKS = 4;

// Invisible characters between marks do not end a stack. The two sets are disjoint, so the time is linear.
const TOO_MANY_MARKS = /(?:[\p{Mn}\p{Me}](?:(?!\p{M})\p{Default_Ignorable_Code_Point})*){5}/u;

/** Whether a character of the text has more than {@linkcode MAX_MARKS} combining marks. */
export function hasTooManyMarks(text: string): boolean {
  return TOO_MANY_MARKS.test(text);
}

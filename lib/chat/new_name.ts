import { hasTooManyMarks, MAX_MARKS } from "./lengths.ts";
import { lookOf } from "./confusables.ts";
import { type Name, parseName } from "./name.ts";

// Letters and marks that show nothing, or surround other characters, and are not default-ignorable.
const INVISIBLE = /[\p{Me}\u2D7F\u{1107F}\u{13441}\u{13442}\u{16FE4}\u{1BC9D}]/u;
// A virama that joins two letters shows nothing where none follows (Indic_Syllabic_Category=Invisible_Stacker).
const LOOSE_STACKER =
  /[\u1039\u17D2\u1A60\u1BAB\uAAF6\u{10A3F}\u{11133}\u{113D0}\u{1193E}\u{11A47}\u{11A99}\u{11D45}\u{11D97}\u{11F42}](?!\p{L})/u;

// Small capitals, and modifier letters that look like punctuation: phonetic notation, which UTS #39 allows in no name.
const PHONETIC =
  /[\u0262\u0274\u0276\u0280\u0299\u029C\u029F\u02B0-\u02BA\u02BD-\u02FF\u1D00-\u1D2B\u1D6B-\u1D77\uA730\uA731\uA788]/;

/**
 * The words that programs say of themselves, their commands and the placeholders of those. Names that look like them,
 * without `_` and `-`, are refused.
 */
const RESERVED = `
  admin administrator all bye chat clear console echo error everybody everyone exit help here history host kick login
  logout logs me message moderator msg name nobody notice operator password pause quit resume root say server status
  stop system tell text unknown usage user users warning who whoami you
  админ администратор ввод вход выход вы внимание все всем имя история кто консоль модератор никто оператор ошибка
  пароль пауза помощь сервер система сообщение справка стоп текст ты уведомление чат я
`;

/** Scripts whose letters a name may combine: Unicode's UTS #39, "Highly Restrictive"; and each script by itself. */
const SCRIPTS = `
  Latn Cyrl Grek Arab Hebr Latn+Hani+Hira+Kana Latn+Hani+Bopo Latn+Hani+Hang Deva Thai Armn Geor
  Adlm Aghb Ahom Armi Avst Bali Bamu Bass Batk Beng Bhks Brah Bugi Buhd Cakm Cans Cari Cham Cher Chrs Copt Cpmn
  Cprt Diak Dogr Dsrt Dupl Egyp Elba Elym Ethi Gara Glag Gong Gonm Goth Gran Gujr Gukh Guru Hano Hatr Hluw Hmng Hmnp
  Hung Ital Java Kali Kawi Khar Khmr Khoj Kits Knda Krai Kthi Lana Laoo Lepc Limb Lina Linb Lisu Lyci Lydi Mahj Maka
  Mand Mani Marc Medf Mend Merc Mero Miao Mlym Modi Mong Mroo Mtei Mult Mymr Nagm Nand Narb Nbat Newa Nkoo Nshu Ogam
  Olck Onao Orkh Orya Osge Osma Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Runr Samr Sarb Saur Shaw
  Shrd Sidd Sind Sinh Sogd Sogo Sora Soyo Sund Sunu Sylo Syrc Tagb Takr Tale Talu Taml Tang Tavt Telu Tfng
  Tglg Thaa Tibt Tirh Tnsa Todr Toto Tutg Ugar Vaii Vith Wara Wcho Xpeo Xsux Yezi Yiii Zanb
`;

const words = (text: string) => text.trim().split(/\s+/);
let reserved: Set<string> | undefined;
const matchers = new Map<string, RegExp>();

/**
 * Checks the name of a new account: {@linkcode parseName}, and beyond it at least one letter, no mixed scripts (except as
 * Unicode's UTS #39 "Highly Restrictive" allows), no invisible or phonetic letters, at most four marks on a letter, and none of
 * the words that programs use.
 *
 * Whether it looks like the name of another account is for the keeper of accounts to find out; see
 * {@linkcode lookOf}. Names that were registered under older rules are not checked again.
 *
 * @param text What was typed or received.
 * @returns The name, or `{ reason }`, which is safe to show: it quotes nothing of the text.
 */
export function parseNewName(text: string): Name | { reason: string } {
  const parsed = parseName(text);
  if ("reason" in parsed) return parsed;
  const reason = problemOf(parsed.name);
  return reason === undefined ? parsed : { reason };
}

function problemOf(name: string): string | undefined {
  if (!/[\p{L}--\p{Lm}]/v.test(name)) return "A name has at least one letter";
  if (INVISIBLE.test(name) || LOOSE_STACKER.test(name)) {
    return "A name has no characters that cannot be seen";
  }
  if (PHONETIC.test(name)) return "A name has no letters of phonetic notation";
  if (hasTooManyMarks(name.normalize("NFD"))) {
    return `A letter of a name has at most ${MAX_MARKS} combining marks`;
  }
  if (!words(SCRIPTS).some((scripts) => isWrittenIn(name, scripts))) {
    return "A name does not mix letters of different scripts, such as Latin and Cyrillic";
  }
  reserved ??= new Set(words(RESERVED).flatMap(barelyLike));
  return barelyLike(name).some((look) => reserved!.has(look))
    ? "This name is reserved: choose another"
    : undefined;
}

function barelyLike(name: string): string[] {
  const { written, capitals } = lookOf(name.replace(/[_-]/g, ""));
  return [written.toLowerCase(), capitals];
}

/** Whether all characters belong to these scripts, or to all scripts. */
function isWrittenIn(name: string, scripts: string): boolean {
  const matcher = matchers.getOrInsertComputed(scripts, () => {
    const classes = [...scripts.split("+"), "Zyyy", "Zinh"].map((script) => `\\p{scx=${script}}`);
    return new RegExp(`^[${classes.join("")}]*$`, "u");
  });
  return matcher.test(name);
}

/**
 * Letters and digits of Latin, Greek and Cyrillic by what they look like, `prototype:letters`: the entries for these scripts
 * of Unicode's confusables.txt (UTS #39, https://www.unicode.org/Public/security/, Unicode License) whose both sides are
 * letters or digits that normalisation leaves as they are.
 */
const TABLE = `
  2:ꝚƧꙄ 3:ꞫȜƷꝪЗӠ 5:Ƽ 6:б 8:ȣȢ 9:Ꝯ A:ΑА AA:Ꜳ AE:ÆӔ AO:Ꜵ AU:Ꜷ AV:ꜸꜺ AY:Ꜽ B:ꞴΒВ C:С E:ΕЕ F:ꞘϜ G:Ԍ
  H:ΗН J:ꞲͿЈ K:ΚК M:ΜϺМ N:Ν O:0ΟО OE:Œ OO:ꝎꚘ P:ΡР R:Ʀ S:Ѕ T:ΤТ T3:Ꜩ V:Ѵ W:Ԝ X:ꞳΧХ Y:ΥУҮ Z:Ζ
  a:ɑαа aa:ꜳ ae:æӕ ao:ꜵ au:ꜷ av:ꜹꜻ ay:ꜽ b:ƄЬ bl:Ы c:ᴄс d:ԁ dz:ʣ dȝ:ʤ dʑ:ʥ e:ꬲеҽ f:ꬵꞙẝ fŋ:ʩ g:ɡᶃƍ
  h:һ i:ıɪɩιіꙇӏ j:ϳј l:1IƖǀΙІӀ lO:Ю ll:ǁ ls:ʪ lz:ʫ lȝ:ɮ o:ᴏᴑꬽοσо oe:œ oo:ꝏꚙ oᴇ:ɶ p:ρр q:ԛ r:ꭇꭈᴦг
  rn:m s:ꜱƽѕ tf:ꝷ ts:ʦ tȝ:ꜩ tɕ:ʨ tʃ:ʧ u:ꞟᴜꭎꭒʋυ ue:ᵫ uo:ꭣ v:ᴠνѵ w:ɯᴡѡԝ x:х y:ɣᶌʏỿꭚγуү z:ᴢ Þ:Ϸ
  ß:ꞵβ þ:ƿϸ ĸ:ᴋκк ƅ:ь ƅi:ы Ɔ:ↃϽ Ə:Ә Ɛ:Ԑ ƨ:ᴤꙅ Ʃ:Σ ǝ:əә ǝo:ᴔ Ƕ:Ԋ ȝ:ʒꝫӡ Ʌ:ΛЛ ɋ:ᶐ ɔ:ↄᴐͻ ɔe:ꭢ ɜ:ᴈз
  ɢ:ԍ ɸ:φф ʃ:ꭍ ʌ:ᴧ ʍ:ᴍм ʘ:Ꙩ ʙ:в ʚ:ꞝ ʜ:н Γ:Г Π:П Φ:Ф Ψ:Ѱ π:ᴨп ς:ϛ χ:ꭓꭕ ψ:ѱ ω:ꞷꙍ И:Ͷ Ъl:Ꙑ л:ᴫ љ:ꭠ
  Ҷ:Ӌ ҷ:ӌ ᴎ:ͷи ᴘ:ᴩ ᴙ:я ᴛ:τт ẟ:δ Ⱶ:Ͱ Ꙍ:Ꞷ ꜧ:ꞕ Ꜿ:Ͽ ꜿ:ͽ Ꝺ:ꝺ Ꞓ:Є ꞓ:ɛεєԑ
`;

let prototypes: Map<string, string> | undefined;

/** What a name looks like: two names are easily taken for each other if either part is equal. */
export interface Look {
  /** As it is written, so that `Ilya` and `llya` are equal. */
  written: string;
  /** In capitals, so that `Kate` in Latin letters and `КАТЕ` in Cyrillic ones are equal. */
  capitals: string;
}

/**
 * What a name looks like, for comparing only: its skeleton as UTS #39 defines it, and that of its capitals.
 *
 * @param name A name as `parseName` gives it, whose length is limited.
 */
export function lookOf(name: string): Look {
  // In capitals, what looks like `l` is an `I`.
  const capitals = skeletonOf(name.toUpperCase()).replaceAll("l", "I");
  return { written: skeletonOf(name), capitals };
}

function skeletonOf(text: string): string {
  prototypes ??= new Map(
    TABLE.trim().split(/\s+/).map((entry) => entry.split(":") as [string, string])
      .flatMap(([prototype, letters]) => [...letters].map((letter) => [letter, prototype])),
  );
  // A lengthened Arabic letter (U+0640) is the same letter, and a dot above an `i` or `j` takes the place of its own.
  const letters = [
    ...text.normalize("NFD").replace(/\u0640|(?<=\p{Soft_Dotted}\p{M}*)\u0307/gu, ""),
  ];
  return letters.map((letter) => prototypes!.get(letter) ?? letter).join("");
}

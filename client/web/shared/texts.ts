/// <reference lib="dom" />
/**
 * What the pages say, in the user's language.
 *
 * @module
 */

const plural = new Intl.PluralRules("ru");

/** A number and the Russian noun that belongs to it: for 1, for 2, for 5. */
function count(number: number, [one, few, many]: [string, string, string]): string {
  const form = plural.select(number);
  return `${number} ${form === "one" ? one : form === "few" ? few : many}`;
}

function english(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

const MESSAGES: [string, string, string] = ["сообщение", "сообщения", "сообщений"];

/** Each text in English and Russian. */
export const TABLE = {
  chat: ["Chat", "Чат"],
  name: ["Name", "Имя"],
  password: ["Password", "Пароль"],
  logIn: ["Log in", "Войти"],
  register: ["Register", "Зарегистрироваться"],
  logOut: ["Log out", "Выйти"],
  send: ["Send", "Отправить"],
  message: ["Message", "Сообщение"],
  messages: ["Messages", "Сообщения"],
  people: ["People", "Участники"],
  welcome: ["Join the chat", "Вход в чат"],
  loginHint: [
    "Log in, or choose a name and a password and register.",
    "Войдите или придумайте имя и пароль и зарегистрируйтесь.",
  ],
  notEncrypted: [
    "This connection is not encrypted: use a password that you use nowhere else.",
    "Соединение не зашифровано: используйте пароль, которого у вас больше нигде нет.",
  ],
  passwordHint: ["A new password has at least 8 characters.", "Новый пароль: от 8 знаков."],
  loggingIn: ["Logging in…", "Входим…"],
  connecting: ["Connecting…", "Соединяемся…"],
  you: ["You", "Вы"],
  showPeople: [(here: number) => `People: ${here}`, (here: number) => `Участники: ${here}`],
  morePeople: [
    (more: number) => `and ${more} more`,
    (more: number) => `и ещё ${more}`,
  ],
  writeTo: [
    (name: string) => `Write to ${name} only`,
    (name: string) => `Написать только: ${name}`,
  ],
  privateTo: [(name: string) => `Only to ${name}`, (name: string) => `Только: ${name}`],
  toEverybody: ["Write to everybody again", "Снова писать всем"],
  everybodyHint: ["Message to everybody", "Сообщение для всех"],
  privateToYou: ["to you only", "только вам"],
  joined: [(name: string) => `${name} joined`, (name: string) => `${name} в чате`],
  left: [(name: string) => `${name} left`, (name: string) => `${name} больше не в чате`],
  today: ["Today", "Сегодня"],
  yesterday: ["Yesterday", "Вчера"],
  noTime: ["unknown time", "время неизвестно"],
  beginning: ["This is the beginning", "Это начало переписки"],
  loadingEarlier: ["Earlier messages…", "Загружаем сообщения…"],
  newMessages: [
    (number: number) => english(number, "new message"),
    (number: number) => count(number, ["новое сообщение", "новых сообщения", "новых сообщений"]),
  ],
  toNewest: ["To the newest message", "К последнему сообщению"],
  waitsToBeSent: ["waits to be sent", "ждёт отправки"],
  waiting: ["Waiting to be sent", "Ждут отправки"],
  noConnection: [
    "No connection to the server. The page connects again as soon as it can.",
    "Нет связи с сервером. Страница соединится снова, как только сможет.",
  ],
  paused: [
    "The server pauses. The page connects again when it is back.",
    "Сервер на паузе. Страница соединится снова, когда он вернётся.",
  ],
  stopped: [
    "The server stops. The page connects again when it is back.",
    "Сервер остановлен. Страница соединится снова, когда он вернётся.",
  ],
  full: [
    "The server is full. The page tries again when there may be room.",
    "На сервере нет мест. Страница попробует снова.",
  ],
  willBeSent: [
    (number: number) => `${english(number, "message")} will be sent then.`,
    (number: number) => `Будет отправлено: ${count(number, MESSAGES)}.`,
  ],
  nothingIsLost: ["What you write now is sent then.", "Написанное сейчас будет отправлено потом."],
  notSent: ["Not sent", "Не отправлено"],
  slower: [
    "Slower: messages wait until the server takes them",
    "Помедленнее: сообщения ждут, пока сервер их примет",
  ],
  notHere: [
    (name: string) => `${name} is not here: the message is delivered when they come back`,
    (name: string) => `${name} не в чате: сообщение дойдёт после возвращения`,
  ],
  notKept: ["The login is not kept", "Вход не сохранён"],
  loggedOut: ["You have logged out.", "Вы вышли."],
  loggedOutHere: [
    "Logged out in this browser. The server could not be told: there, the login expires by itself.",
    "Вы вышли в этом браузере. Сервер не ответил: там вход истечёт сам.",
  ],
  kicked: [
    "The operator has ended your connection.",
    "Оператор завершил ваше соединение.",
  ],
  wrongServer: [
    "The server is another one now, or of another version: reload the page.",
    "Сервер теперь другой или другой версии: обновите страницу.",
  ],
  failed: ["The page cannot go on: reload it.", "Страница не может продолжить: обновите её."],
  cancel: ["Cancel", "Отмена"],
  pasteTitle: [
    (lines: number) => `Send ${lines} lines?`,
    (lines: number) => `Отправить строк: ${lines}?`,
  ],
  sendEach: [
    (lines: number) => `Send ${lines} messages`,
    (lines: number) => `Отправить ${count(lines, MESSAGES)}`,
  ],
  joinLines: ["Make one line of them", "Сделать одной строкой"],
  tooManyLines: [
    (most: number) => `At most ${most} lines are sent at once: paste fewer of them.`,
    (most: number) => `За раз отправляется не больше ${most} строк: вставьте меньше.`,
  ],
  leaveTitle: [
    (left: number) => `Log out? Not sent yet: ${english(left, "message")}`,
    (left: number) => `Выйти? Ещё не отправлено: ${count(left, MESSAGES)}`,
  ],
  noCommand: [
    (name: string) => `There is no command /${name}: /help shows what there is`,
    (name: string) => `Команды /${name} нет: /help покажет, какие есть`,
  ],
  usage: [
    (command: string) => `Usage: ${command}`,
    (command: string) => `Пишите так: ${command}`,
  ],
  help: [
    "/msg NAME text: to one person only · /who: who is here · /logout: log out · //text: say /text",
    "/msg ИМЯ текст: только одному · /who: кто здесь · /logout: выйти · //текст: сказать /текст",
  ],
  here: [(names: string) => `Here: ${names}`, (names: string) => `Здесь: ${names}`],
  needName: ["Enter your name", "Введите имя"],
  needPassword: ["Enter your password", "Введите пароль"],
  inSeconds: [
    (reason: string, seconds: number) => `${reason} (in ${seconds} s)`,
    (reason: string, seconds: number) => `${reason} (через ${seconds} с)`,
  ],
  frames: ["Frames", "Кадры"],
  framesHint: [
    "Each message as its frame, the bytes that a client in a terminal exchanges for it. The newest first.",
    "Каждое сообщение и его кадр: байты, которые передаёт клиент в терминале. Новые сверху.",
  ],
  sent: ["You → server", "Вы → сервер"],
  received: ["Server → you", "Сервер → вам"],
  header: ["header", "заголовок"],
  body: ["body", "тело"],
  bytes: [
    (bytes: number) => `${english(bytes, "byte")} follow`,
    (bytes: number) => `дальше ${count(bytes, ["байт", "байта", "байт"])}`,
  ],
  moreBytes: [
    (bytes: number) => `and ${bytes} more`,
    (bytes: number) => `и ещё ${bytes}`,
  ],
  lostExercise: ["No connection. The page connects again…", "Нет связи. Соединяемся снова…"],
  noAnswer: ["The server does not answer", "Сервер не отвечает"],
  aboutEcho: ["The server sends each line back.", "Сервер возвращает каждую строку."],
  aboutThreads: [
    "The server sends each line back; each connection has a thread of its own.",
    "Сервер возвращает каждую строку; у каждого соединения свой поток.",
  ],
  aboutIdentify: [
    "The server knows you by your address. If it asks, answer with your name.",
    "Сервер узнаёт вас по адресу. Если спросит, ответьте, как вас зовут.",
  ],
  aboutAuth: [
    "Register or log in; then the server sends each text back. Passwords and tokens are shown as stars.",
    "Зарегистрируйтесь или войдите; сервер вернёт каждый текст. Пароли и токены скрыты звёздочками.",
  ],
} as const;

/** Reasons by the codes of the protocol, where the server's own words are in another language. */
const RUSSIAN_REASONS: Record<string, string> = {
  unauthorized: "Вход больше не действует: войдите снова",
  bad_credentials: "Неверное имя или пароль",
  name_taken: "Это имя занято или похоже на занятое",
  bad_name: "Имя: от 1 до 32 букв, цифр, знаков _ и -",
  weak_password: "Пароль: от 8 до 256 знаков",
  throttled: "Слишком много попыток: подождите немного",
  too_fast: "Слишком быстро: подождите немного",
  too_long: "Сообщение слишком длинное: отправьте его по частям",
  no_such_user: "Такого пользователя нет",
  unavailable: "Сервер не может прочитать или записать данные: попробуйте позже",
  lost: "Связь прервалась во время входа",
  not_sent: "Сохранённый вход не подходит этому серверу: войдите снова",
};

/** The language of the page: the browser's, if there are texts in it, otherwise English. */
export const language: "en" | "ru" = /^ru\b/i.test(navigator.language) ? "ru" : "en";

/** How dates are written: as in the user's country, where that is known. */
export const locale: string = navigator.language.startsWith(language)
  ? navigator.language
  : "en-GB";

/** The texts in that language. */
export const texts: { [Key in keyof typeof TABLE]: (typeof TABLE)[Key][0] } = Object.fromEntries(
  Object.entries(TABLE).map(([key, [en, ru]]) => [key, language === "ru" ? ru : en]),
) as typeof texts;

/** A reason in the user's language, where it is known; otherwise in the server's words. */
export function reasonOf({ code, message }: { code: string; message: string }): string {
  if (language === "en" || !Object.hasOwn(RUSSIAN_REASONS, code)) return message;
  return RUSSIAN_REASONS[code]!;
}

/** The texts that are not functions. */
type Word = {
  [Key in keyof typeof TABLE]: (typeof TABLE)[Key][0] extends string ? Key : never;
}[keyof typeof TABLE];

/** Puts the texts into the page: `data-text` names one for the content, `data-label` one for the accessible name. */
export function translatePage(): void {
  document.documentElement.lang = language;
  for (const each of document.querySelectorAll<HTMLElement>("[data-text]")) {
    each.textContent = texts[each.dataset["text"] as Word];
  }
  for (const each of document.querySelectorAll<HTMLElement>("[data-label]")) {
    each.setAttribute("aria-label", texts[each.dataset["label"] as Word]);
  }
}

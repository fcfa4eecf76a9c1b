// SPDX-License-Identifier: LGPL-2.1-or-later

// File names are bytes and not text.  Here they are strings with a character for each byte, so that
// they can be compared, sorted and used as keys, and anything that is written is put together of
// such strings.

export function fromBytes(bytes) {
    let string = '';
    for (const byte of bytes)
        string += String.fromCharCode(byte);
    return string;
}

export function toBytes(string) {
    return Uint8Array.from(string, character => character.charCodeAt(0));
}

// The bytes of a text, in UTF-8.
export function fromText(text) {
    return fromBytes(new TextEncoder().encode(text));
}

// The text that bytes in UTF-8 are; what is not UTF-8 is replaced.
export function toText(string) {
    return new TextDecoder().decode(toBytes(string));
}

// A character of UTF-8, as bytes, or else a single byte that is part of none.
const CHARACTER = new RegExp([
    '[\\0-\\x7f]',
    '[\\xc2-\\xdf][\\x80-\\xbf]',
    '\\xe0[\\xa0-\\xbf][\\x80-\\xbf]',
    '[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}',
    '\\xed[\\x80-\\x9f][\\x80-\\xbf]',
    '\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}',
    '[\\xf1-\\xf3][\\x80-\\xbf]{3}',
    '\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}',
    '[^]',
].join('|'), 'g');

function hex(byte, width) {
    return byte.charCodeAt(0).toString(16).padStart(width, '0');
}

function isPartOfNone(character) {
    return character.length === 1 && character > '\x7f';
}

// A file name as it is shown to a person.  A newline would break the table, an escape sequence would
// reach the terminal and a lone byte above 127 is not text.  Those are written as \xHH, and the
// backslash as two, so that nothing is ambiguous.
export function shown(path) {
    return path.replace(CHARACTER, character => {
        if (character === '\\')
            return '\\\\';
        if (isPartOfNone(character) || /^([\0-\x1f\x7f]|\xc2[\x80-\x9f])$/.test(character))
            return character.replace(/[^]/g, byte => `\\x${hex(byte, 2)}`);
        return character;
    });
}

// A string in JSON.  A byte that is not part of a character becomes the lone surrogate \udc80 to
// \udcff, as in Python (PEP 383): after json.loads() os.fsencode() gives the bytes back.
export function quoted(string) {
    const escaped = string.replace(CHARACTER, character => {
        if (isPartOfNone(character))
            return `\\udc${hex(character, 2)}`;
        if (character === '"' || character === '\\')
            return `\\${character}`;
        if (character === '\n')
            return '\\n';
        return character < ' ' || character === '\x7f' ? `\\u${hex(character, 4)}` : character;
    });
    return `"${escaped}"`;
}

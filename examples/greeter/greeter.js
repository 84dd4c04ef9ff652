// Greets people in a language of theirs, and counts how often it did.

const OLDEST = 130;

const PHRASES = {
  english: {
    hello: (name) => `Hello, ${name}!`,
    morning: (name) => `Good morning, ${name}!`,
    birthday: (name, age) => `Happy ${age}. birthday, ${name}!`,
    visit: (name, place) => `Welcome to ${place}, ${name}!`,
  },
  finnish: {
    hello: (name) => `Hei, ${name}!`,
    morning: (name) => `Huomenta, ${name}!`,
    birthday: (name, age) => `Hyvää ${age}-vuotispäivää, ${name}!`,
    visit: (name, place) => `${name}, tervetuloa! Täällä on ${place}.`,
  },
  swedish: {
    hello: (name) => `Hej, ${name}!`,
    morning: (name) => `God morgon, ${name}!`,
    birthday: (name, age) => `Grattis på ${age}-årsdagen, ${name}!`,
    visit: (name, place) => `Välkommen till ${place}, ${name}!`,
  },
};

const times = new Map();

export const greetings = {
  greet(person, occasion) {
    // What is thrown is the error of the function's result.
    if (person.name === "") throw { tag: "nameless" };
    if (occasion?.tag === "birthday" && occasion.val > OLDEST) {
      throw { tag: "too-old", val: occasion.val };
    }
    const language = person.languages[0] ?? "english";
    const name = person.title ? `${person.title} ${person.name}` : person.name;
    const text = PHRASES[language][occasion?.tag ?? "hello"](name, occasion?.val);
    times.set(person.name, (times.get(person.name) ?? 0) + 1);
    return { text, language, times: times.get(person.name) };
  },

  visitors() {
    return [...times].sort();
  },

  forget(name) {
    return times.delete(name);
  },
};

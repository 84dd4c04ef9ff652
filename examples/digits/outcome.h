/* Why there is no class: what the functions return instead of one. */
#ifndef OUTCOME_H
#define OUTCOME_H

enum outcome {
    DONE = 0,
    NO_FILE = -1,
    UNREADABLE = -2,
    BAD_MODEL = -3,
    NOT_A_PICTURE = -4,
    UNSUPPORTED = -5,
    DAMAGED = -6,
    TOO_LARGE = -7,
    NO_MEMORY = -8,
    BLANK = -9,
    BAD_POINTER = -10,
};

#endif

/* Raw PGM files of up to 8 bits per sample: https://netpbm.sourceforge.net/doc/pgm.html */
#ifndef PGM_H
#define PGM_H
#include "outcome.h"
#include "picture.h"

static const char PGM_SIGNATURE[] = "P5";

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void skip_space(struct span *text) {
    bool is_comment = false;
    while (text->at < text->end && (is_comment || is_space(*text->at) || *text->at == '#')) {
        is_comment = *text->at == '#' || (is_comment && *text->at != '\n');
        text->at++;
    }
}

static bool is_digit(struct span text) {
    return text.at < text.end && *text.at >= '0' && *text.at <= '9';
}

/* A number of the header behind white space; one that is too large is cut off above the limit. */
static bool read_number(struct span *text, uint32_t *number) {
    const uint8_t *start = text->at;
    skip_space(text);
    bool is_number = text->at > start && is_digit(*text);
    for (*number = 0; is_digit(*text); text->at++) {
        *number = *number > SIDE_LIMIT ? *number : *number * 10 + (*text->at - '0');
    }
    return is_number;
}

static enum outcome read_pgm(struct span content, struct picture *picture) {
    struct span text = {content.at + 2, content.end};
    if (!read_number(&text, &picture->width) || !read_number(&text, &picture->height) ||
        !read_number(&text, &picture->brightest) || text.at == text.end || !is_space(*text.at)) {
        return DAMAGED;
    }
    if (picture->brightest == 0 || picture->brightest > UINT8_MAX) {
        return UNSUPPORTED;
    }
    picture->rows = text.at + 1;
    picture->channels = 1;
    picture->stride = picture->width;
    picture->skipped = 0;
    enum outcome outcome = check_sides(picture);
    if (outcome == DONE &&
        (uint64_t)picture->width * picture->height > (size_t)(text.end - picture->rows)) {
        outcome = DAMAGED;
    }
    return outcome;
}

#endif

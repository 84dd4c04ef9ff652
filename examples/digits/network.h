/* A network of dense layers as train.py writes it, and its answer to one input. */
#ifndef NETWORK_H
#define NETWORK_H
#include "outcome.h"
#include "picture.h"

enum { LAYERS_LIMIT = 4, WIDTH_LIMIT = 256 };

static const char MODEL_SIGNATURE[] = "MLP1";

/* Little-endian, as WebAssembly is; not aligned. */
static uint32_t take_u32(struct span *model) {
    uint32_t number;
    __builtin_memcpy(&number, model->at, sizeof number);
    model->at += sizeof number;
    return number;
}

static float take_f32(struct span *model) {
    float number;
    __builtin_memcpy(&number, model->at, sizeof number);
    model->at += sizeof number;
    return number;
}

struct network {
    uint32_t layers;
    uint32_t widths[LAYERS_LIMIT + 1]; /* of the input, and of each layer's output */
    struct span numbers;
};

/* The numbers must be as many as the widths ask for: nothing behind this checks them again. */
static bool read_network(struct span model, uint32_t inputs, struct network *network) {
    if (!starts_with(model, MODEL_SIGNATURE, 4) || model.end - model.at < 8) {
        return false;
    }
    model.at += 4;
    network->layers = take_u32(&model);
    if (network->layers == 0 || network->layers > LAYERS_LIMIT ||
        (size_t)(model.end - model.at) < 4 * (network->layers + 1)) {
        return false;
    }
    uint32_t numbers = 0;
    for (uint32_t i = 0; i <= network->layers; i++) {
        network->widths[i] = take_u32(&model);
        if (network->widths[i] == 0 || network->widths[i] > WIDTH_LIMIT) {
            return false;
        }
        numbers += i == 0 ? 0 : network->widths[i] * (network->widths[i - 1] + 1);
    }
    network->numbers = model;
    return network->widths[0] == inputs &&
           (size_t)(model.end - model.at) == numbers * sizeof(float);
}

/* Each output is a bias and then the weighted sum of the inputs; negative ones become zero. */
static void run_layer(struct span *numbers, const float *inputs, uint32_t input_count,
                      float *outputs, uint32_t output_count, bool is_last) {
    for (uint32_t i = 0; i < output_count; i++) {
        float sum = take_f32(numbers);
        for (uint32_t j = 0; j < input_count; j++) {
            sum += take_f32(numbers) * inputs[j];
        }
        outputs[i] = is_last || sum > 0 ? sum : 0;
    }
}

static int32_t index_of_largest(const float *values, uint32_t count) {
    uint32_t largest = 0;
    for (uint32_t i = 1; i < count; i++) {
        largest = values[i] > values[largest] ? i : largest;
    }
    return (int32_t)largest;
}

/* The class of the input, which is as long as the network's first width. */
static int32_t classify(const struct network *network, const float *input) {
    float values[2][WIDTH_LIMIT];
    struct span numbers = network->numbers;
    const float *inputs = input;
    for (uint32_t i = 0; i < network->layers; i++) {
        run_layer(&numbers, inputs, network->widths[i], values[i % 2], network->widths[i + 1],
                  i + 1 == network->layers);
        inputs = values[i % 2];
    }
    return index_of_largest(inputs, network->widths[network->layers]);
}

#endif

/* Steps of the array engine, compiled: labelling of packed diagrams, integration by parts, and
 * passing coefficients down a table of contractions.
 *
 * Each function does what the arrays of the modules beside this file do, diagram by diagram in
 * place of operation by operation, with the same results to the last bit: the colours are those of
 * colour_refinement.py, the rules for ties those of labelling.py, the chosen factor and its partners
 * those of pairing.py. So a run may use either, or both on different machines.
 *
 * The functions know nothing of Python: kernel.py calls them with ctypes. Memory that a result
 * needs grows as it is found; whoever asked for it frees it.
 *
 * Source: ours.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define PUBLIC __declspec(dllexport)
#else
#define PUBLIC
#endif

enum { VERSION = 1 };

enum { DONE = 0, NO_MEMORY = 1, TOO_MANY_NODES = 2 };

enum { BITS = 8, LIMIT = 1 << BITS, FIELD_BITS = 62 };

enum { FIRST_SWEEPS = 3, LATER_SWEEPS = 2 };

enum { MOST_TENSORS = 20, COUNTED = 9 };

/* Numbers of matchings of 0, 1, 2, ... factors, too many from 8 on. */
static const int NUMBER_OF_MATCHINGS[COUNTED] = {1, 1, 1, 1, 3, 3, 15, 15, 1 << 10};

static const uint32_t ODD = 0x9E3779B1u, SCRAMBLE = 0x85EBCA6Bu, INDIVIDUAL = 0x27D4EB2Fu;

/* The layout of codes, see packing.py. An axis of the rows is a true one, or of members, or padding. */
typedef struct {
  int32_t slots, rank, sizes, axes, classes, has_members;
  const int32_t *slot_axes;  /* classes x slots */
  const int32_t *more_nodes; /* numbers of nodes on the axes after the true ones */
  const int32_t *span_low;   /* for each slot the range of axes that its nodes can lie on */
  const int32_t *span_high;
  const uint8_t *fixed;      /* for each class whether it is neither merged over nor paired */
  const uint8_t *single;     /* for each slot whether its nodes lie on one axis and in no other slot */
} Packing;

typedef struct {
  int64_t ways, distinct;
  int32_t *parent; /* ways */
  int32_t *child;  /* ways */
  int64_t *multiplicity; /* ways */
  int32_t *free; /* ways x sizes */
  uint64_t *codes; /* distinct x factors of a result */
} Results;

/* -- labelling ---------------------------------------------------------------------------------- */

/* Room for one diagram; everything in one block of memory. */
typedef struct {
  int32_t nodes, slots, has_neighbourhoods;
  uint32_t *colour, *received, *neighbourhood; /* nodes */
  uint8_t *used;                               /* nodes */
  uint32_t *name;                              /* slots x nodes: a hash of the number of each */
  uint32_t *sent;                              /* slots x nodes */
  uint64_t *key;                               /* nodes */
  int32_t *order, *number;                     /* nodes */
  int32_t *starts;                             /* axes + 1 */
} Room;

static uint32_t scrambled(uint32_t value) {
  value = (value ^ (value >> 15)) * SCRAMBLE;
  return value ^ (value >> 13);
}

static uint32_t odd_of(int slot) { return ODD + 4u * (uint32_t)slot; }

static void free_room(Room *room) {
  free(room->colour);
  free(room->received);
  free(room->neighbourhood);
  free(room->used);
  free(room->name);
  free(room->key);
  free(room->sent);
  free(room->order);
  free(room->number);
}

static int make_room(Room *room, const Packing *packing, int32_t *starts) {
  const size_t nodes = (size_t)starts[packing->axes] + 1;
  memset(room, 0, sizeof *room);
  room->nodes = starts[packing->axes];
  room->slots = packing->slots;
  room->starts = starts;
  room->colour = malloc(nodes * sizeof(uint32_t));
  room->received = malloc(nodes * sizeof(uint32_t));
  room->neighbourhood = malloc(nodes * sizeof(uint32_t));
  room->used = malloc(nodes);
  room->name = malloc(nodes * (size_t)packing->slots * sizeof(uint32_t));
  room->key = malloc(nodes * sizeof(uint64_t));
  room->sent = malloc(nodes * (size_t)packing->slots * sizeof(uint32_t));
  room->order = malloc(nodes * sizeof(int32_t));
  room->number = malloc(nodes * sizeof(int32_t));
  if (room->colour && room->received && room->neighbourhood && room->used && room->name &&
      room->key && room->sent && room->order && room->number) {
    for (int s = 0; s < packing->slots; s++)
      for (int32_t n = 0; n < room->nodes; n++)
        room->name[s * room->nodes + n] = scrambled(((uint32_t)n + 1u) * ODD) * odd_of(s);
    return DONE;
  }
  free_room(room);
  return NO_MEMORY;
}

static uint32_t message(uint32_t value) { return (value * ((value >> 9) | 1u)) | 1u; }

/* What the nodes that a slot can hold contribute to the messages of their factors. */
static void contribute(Room *room, const Packing *packing, int slot) {
  uint32_t *sent = room->sent + slot * room->nodes;
  const uint32_t odd = odd_of(slot);
  for (int32_t n = room->starts[packing->span_low[slot]]; n < room->starts[packing->span_high[slot]]; n++)
    sent[n] = room->colour[n] * odd;
}

/* Mix the colours of neighbours into those of all nodes, slot after slot. The number of slots is
 * given apart, so that the loops over it are unrolled. */
static inline void refine_slots(Room *room, const Packing *packing, const int32_t *nodes,
                                const uint8_t *kinds, int factors, int sweeps, const int slots) {
  uint32_t *colour = room->colour, *received = room->received;
  for (int s = 0; s < slots; s++) contribute(room, packing, s);
  for (int sweep = 0; sweep < sweeps; sweep++)
    for (int s = 0; s < slots; s++) {
      const int32_t first = room->starts[packing->span_low[s]];
      const int32_t last = room->starts[packing->span_high[s]];
      memset(received + first, 0, (size_t)(last - first) * sizeof(uint32_t));
      for (int f = 0; f < factors; f++) {
        uint32_t value = kinds[f] * INDIVIDUAL;
        for (int other = 0; other < slots; other++)
          if (other != s) value += room->sent[other * room->nodes + nodes[f * slots + other]];
        received[nodes[f * slots + s]] += message(value);
      }
      for (int32_t n = first; n < last; n++) colour[n] = colour[n] * ODD + received[n];
      for (int other = 0; other < slots; other++)
        if (packing->span_low[other] == packing->span_low[s]) contribute(room, packing, other);
    }
}

/* The same where factors have two slots that no node can share and one class: what a factor sends
 * to one slot depends on its node in the other alone. */
static void refine_pairs(Room *room, const Packing *packing, const int32_t *nodes, uint8_t kind,
                         int factors, int sweeps) {
  uint32_t *colour = room->colour, *received = room->received, *sent = room->sent;
  for (int sweep = 0; sweep < sweeps; sweep++)
    for (int s = 0; s < 2; s++) {
      const uint32_t odd = odd_of(1 - s), added = kind * INDIVIDUAL;
      const int32_t first = room->starts[packing->span_low[s]];
      const int32_t last = room->starts[packing->span_high[s]];
      const int32_t from = room->starts[packing->span_low[1 - s]];
      const int32_t to = room->starts[packing->span_high[1 - s]];
      for (int32_t n = from; n < to; n++) sent[n] = message(colour[n] * odd + added);
      memset(received + first, 0, (size_t)(last - first) * sizeof(uint32_t));
      for (int f = 0; f < factors; f++) received[nodes[2 * f + s]] += sent[nodes[2 * f + 1 - s]];
      for (int32_t n = first; n < last; n++) colour[n] = colour[n] * ODD + received[n];
    }
}

static void refine(Room *room, const Packing *packing, const int32_t *nodes, const uint8_t *kinds,
                   int factors, int sweeps) {
  switch (room->slots) {
    case 2:
      if (packing->classes == 1 && packing->span_low[0] != packing->span_low[1])
        refine_pairs(room, packing, nodes, factors ? kinds[0] : 0, factors, sweeps);
      else
        refine_slots(room, packing, nodes, kinds, factors, sweeps, 2);
      return;
    case 3:
      refine_slots(room, packing, nodes, kinds, factors, sweeps, 3);
      return;
    case 4:
      refine_slots(room, packing, nodes, kinds, factors, sweeps, 4);
      return;
    default:
      refine_slots(room, packing, nodes, kinds, factors, sweeps, room->slots);
  }
}

/* A hash of the factors at each node with the numbers of their other nodes. */
static inline void find_neighbourhoods(Room *room, const int32_t *nodes, const uint8_t *kinds,
                                       int factors, const int slots) {
  memset(room->neighbourhood, 0, (size_t)room->nodes * sizeof(uint32_t));
  for (int f = 0; f < factors; f++)
    for (int s = 0; s < slots; s++) {
      uint32_t others = kinds[f] * INDIVIDUAL;
      for (int o = 0; o < slots; o++)
        if (o != s) others += room->name[o * room->nodes + nodes[f * slots + o]];
      room->neighbourhood[nodes[f * slots + s]] += message(others) * (ODD + 2u * (uint32_t)s);
    }
  room->has_neighbourhoods = 1;
}

static int by_key(const void *first, const void *second) {
  const uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second;
  return (a > b) - (a < b);
}

static void sort_keys(uint64_t *keys, int count) {
  if (count > 24) {
    qsort(keys, (size_t)count, sizeof(uint64_t), by_key);
    return;
  }
  for (int i = 1; i < count; i++) {
    const uint64_t key = keys[i];
    int j = i;
    for (; j > 0 && keys[j - 1] > key; j--) keys[j] = keys[j - 1];
    keys[j] = key;
  }
}

/* Order the nodes of each axis by colour and number, used ones first; the number of the last node
 * that has the colour of the one before it and is not its twin, -1 if there is none. */
static int32_t order_nodes(Room *room, const Packing *packing, const int32_t *nodes,
                           const uint8_t *kinds, int factors) {
  int32_t tied = -1;
  for (int axis = 0; axis < packing->axes; axis++) {
    const int32_t first = room->starts[axis], last = room->starts[axis + 1];
    uint64_t *keys = room->key;
    int count = 0;
    for (int32_t n = first; n < last; n++)
      if (room->used[n]) keys[count++] = ((uint64_t)room->colour[n] << 16) | (uint64_t)(n - first);
    sort_keys(keys, count);
    for (int i = 0; i < count; i++) {
      const int32_t n = first + (int32_t)(keys[i] & 0xFFFF);
      room->order[first + i] = n;
      if (!i || keys[i] >> 16 != keys[i - 1] >> 16) continue;
      if (!room->has_neighbourhoods) {
        if (room->slots == 2)
          find_neighbourhoods(room, nodes, kinds, factors, 2);
        else
          find_neighbourhoods(room, nodes, kinds, factors, room->slots);
      }
      if (room->neighbourhood[n] != room->neighbourhood[room->order[first + i - 1]]) tied = n;
    }
    for (int32_t n = first, place = first + count; n < last; n++)
      if (!room->used[n]) room->order[place++] = n;
  }
  return tied;
}

/* Number the nodes within each axis by structure, see labelling.py; into room->number. */
static void label(Room *room, const Packing *packing, const int32_t *nodes, const uint8_t *kinds,
                  int factors) {
  memset(room->used, 0, (size_t)room->nodes);
  for (int i = 0; i < factors * room->slots; i++) room->used[nodes[i]] = 1;
  for (int axis = 0; axis < packing->axes; axis++) {
    const uint32_t initial = scrambled((uint32_t)(axis + 1) * ODD);
    for (int32_t n = room->starts[axis]; n < room->starts[axis + 1]; n++) room->colour[n] = initial;
  }
  refine(room, packing, nodes, kinds, factors, FIRST_SWEEPS);
  room->has_neighbourhoods = 0;
  for (;;) {
    const int32_t chosen = order_nodes(room, packing, nodes, kinds, factors);
    if (chosen < 0) break;
    room->colour[chosen] = scrambled(room->colour[chosen] + INDIVIDUAL);
    refine(room, packing, nodes, kinds, factors, LATER_SWEEPS);
  }
  for (int axis = 0; axis < packing->axes; axis++)
    for (int32_t n = room->starts[axis]; n < room->starts[axis + 1]; n++)
      room->number[room->order[n]] = n - room->starts[axis];
}

/* The sorted codes of a diagram with the numbers of `label`. */
static int code_of(const Room *room, const int32_t *nodes, const uint8_t *kinds, int factors,
                   uint64_t *codes) {
  const int slots = room->slots;
  int32_t most = 0;
  for (int f = 0; f < factors; f++) {
    uint64_t code = kinds[f];
    for (int s = 0; s < slots; s++) {
      const int32_t number = room->number[nodes[f * slots + s]];
      most |= number;
      code = (code << BITS) | (uint64_t)number;
    }
    /* Insert it: the factors before it are in order. */
    int place = f;
    for (; place > 0 && codes[place - 1] > code; place--) codes[place] = codes[place - 1];
    codes[place] = code;
  }
  return most < LIMIT ? DONE : TOO_MANY_NODES;
}

/* -- a table of distinct rows ------------------------------------------------------------------- */

typedef struct {
  int64_t count, room, slots;
  int32_t width;
  uint64_t *rows;
  int64_t *slot; /* -1, or the number of a row */
} Rows;

static uint64_t hash_row(const uint64_t *row, int width) {
  uint64_t value = 0x9E3779B97F4A7C15u;
  for (int i = 0; i < width; i++) {
    value = (value ^ row[i]) * 0xBF58476D1CE4E5B9u;
    value ^= value >> 29;
  }
  return value ^ (value >> 32);
}

static int make_rows(Rows *rows, int width) {
  memset(rows, 0, sizeof *rows);
  rows->width = width;
  rows->room = 256;
  rows->slots = 1024;
  rows->rows = malloc((size_t)rows->room * (size_t)(width + 1) * sizeof(uint64_t));
  rows->slot = malloc((size_t)rows->slots * sizeof(int64_t));
  if (!rows->rows || !rows->slot) {
    free(rows->rows);
    free(rows->slot);
    return NO_MEMORY;
  }
  memset(rows->slot, 0xFF, (size_t)rows->slots * sizeof(int64_t));
  return DONE;
}

static int grow_rows(Rows *rows) {
  const size_t width = (size_t)rows->width + 1;
  uint64_t *more = realloc(rows->rows, 2 * (size_t)rows->room * width * sizeof(uint64_t));
  if (!more) return NO_MEMORY;
  rows->rows = more;
  rows->room *= 2;
  const int64_t slots = 4 * rows->slots < 8 * rows->room ? 4 * rows->slots : rows->slots;
  if (slots != rows->slots) {
    int64_t *slot = malloc((size_t)slots * sizeof(int64_t));
    if (!slot) return NO_MEMORY;
    memset(slot, 0xFF, (size_t)slots * sizeof(int64_t));
    for (int64_t n = 0; n < rows->count; n++) {
      int64_t at = (int64_t)(hash_row(rows->rows + n * rows->width, rows->width) & (uint64_t)(slots - 1));
      while (slot[at] >= 0) at = (at + 1) & (slots - 1);
      slot[at] = n;
    }
    free(rows->slot);
    rows->slot = slot;
    rows->slots = slots;
  }
  return DONE;
}

/* The number of a row, a new one if it is not there; -1 if there is no memory. */
static int64_t enter_row(Rows *rows, const uint64_t *row) {
  const size_t bytes = (size_t)rows->width * sizeof(uint64_t);
  if (rows->count == rows->room && grow_rows(rows)) return -1;
  int64_t at = (int64_t)(hash_row(row, rows->width) & (uint64_t)(rows->slots - 1));
  while (rows->slot[at] >= 0) {
    const int64_t number = rows->slot[at];
    if (!memcmp(rows->rows + number * rows->width, row, bytes)) return number;
    at = (at + 1) & (rows->slots - 1);
  }
  memcpy(rows->rows + rows->count * rows->width, row, bytes);
  rows->slot[at] = rows->count;
  return rows->count++;
}

/* -- results ------------------------------------------------------------------------------------ */

static int more_results(Results *results, int64_t *room, int sizes) {
  const size_t more = *room ? 2 * (size_t)*room : 1024;
  int32_t *parent = realloc(results->parent, more * sizeof(int32_t));
  if (parent) results->parent = parent;
  int32_t *child = realloc(results->child, more * sizeof(int32_t));
  if (child) results->child = child;
  int64_t *multiplicity = realloc(results->multiplicity, more * sizeof(int64_t));
  if (multiplicity) results->multiplicity = multiplicity;
  int32_t *loose = realloc(results->free, more * (size_t)(sizes + 1) * sizeof(int32_t));
  if (loose) results->free = loose;
  if (!parent || !child || !multiplicity || !loose) return NO_MEMORY;
  *room = (int64_t)more;
  return DONE;
}

PUBLIC void diagflow_free_results(Results *results) {
  free(results->parent);
  free(results->child);
  free(results->multiplicity);
  free(results->free);
  free(results->codes);
  memset(results, 0, sizeof *results);
}

/* -- rows of codes ------------------------------------------------------------------------------ */

/* A diagram unpacked: for each factor its class, tensor, node in every slot (numbered within the
 * axis, and through all axes) and, at the first of parallel copies, how many there are. */
typedef struct {
  uint8_t *kinds;
  int32_t *labels, *local, *nodes, *copies, *partners;
} Unpacked;

/* How many factors have the tensor of each factor: equal tensors mostly stand together. */
static void count_tensors(Unpacked *own, int factors) {
  for (int f = 0; f < factors; f++) {
    if (f && own->labels[f] == own->labels[f - 1]) {
      own->partners[f] = own->partners[f - 1];
      continue;
    }
    int32_t count = 0;
    for (int g = 0; g < factors; g++) count += own->labels[g] == own->labels[f];
    own->partners[f] = count;
  }
}

static void unpack(const Packing *packing, const uint64_t *row, int factors, const int32_t *starts,
                   Unpacked *into) {
  const int slots = packing->slots;
  for (int f = 0; f < factors; f++) {
    uint64_t code = row[f];
    for (int s = slots - 1; s >= 0; s--) {
      into->local[f * slots + s] = (int32_t)(code & (LIMIT - 1));
      code >>= BITS;
    }
    into->kinds[f] = (uint8_t)code;
    into->labels[f] = (int32_t)code << BITS;
    if (packing->has_members) into->labels[f] |= into->local[f * slots + slots - 1];
    if (starts)
      for (int s = 0; s < slots; s++)
        into->nodes[f * slots + s] =
            into->local[f * slots + s] + starts[packing->slot_axes[(int)code * slots + s]];
  }
  for (int f = 0, first = 0; f < factors; f++) {
    if (f && row[f] == row[f - 1]) {
      into->copies[first]++;
      into->copies[f] = 0;
    } else {
      first = f;
      into->copies[f] = 1;
    }
  }
  count_tensors(into, factors);
}

/* The first number of every axis when all nodes of some rows are numbered through. */
static void find_starts(const Packing *packing, const uint64_t *codes, int64_t count, int factors,
                        int32_t *starts) {
  const int slots = packing->slots;
  for (int axis = 0; axis <= packing->axes; axis++) starts[axis] = axis < packing->sizes;
  for (int axis = packing->sizes; axis < packing->axes; axis++)
    starts[axis] = packing->more_nodes[axis - packing->sizes];
  for (int64_t i = 0; i < count * factors; i++) {
    uint64_t code = codes[i];
    const int32_t *axes = packing->slot_axes + (code >> (BITS * slots)) * (uint64_t)slots;
    for (int s = slots - 1; s >= 0; s--, code >>= BITS) {
      const int32_t extent = (int32_t)(code & (LIMIT - 1)) + 1;
      if (s < packing->rank && axes[s] < packing->sizes && extent > starts[axes[s]])
        starts[axes[s]] = extent;
    }
  }
  int32_t first = 0;
  for (int axis = 0; axis <= packing->axes; axis++) {
    const int32_t width = axis < packing->axes ? starts[axis] : 0;
    starts[axis] = first;
    first += width;
  }
}

/* Factors of the rarest tensors first, and the octal digits of the pairs that are integrated at once;
 * see integration_by_parts._nearly_finished. No more than `most` matchings are listed; `key` has room for all factors. */
static int64_t nearly_finished(const Packing *packing, const Unpacked *own, int factors,
                               int most, int32_t *order, uint64_t *key) {
  for (int f = 0; f < factors; f++) {
    uint64_t count = (uint64_t)own->partners[f];
    if (packing->fixed[own->kinds[f]]) count = (uint64_t)factors + COUNTED;
    key[f] = (count << 48) | ((uint64_t)own->labels[f] << 16) | (uint64_t)f;
  }
  sort_keys(key, factors);
  int64_t pattern = 0;
  int position = 0, matchings = 1;
  for (int f = 0; f < factors; f++) order[f] = (int32_t)(key[f] & 0xFFFF);
  for (int tensor = 0; tensor < MOST_TENSORS && position < factors; tensor++) {
    uint64_t count = key[position] >> 48;
    if (count > COUNTED - 1) count = COUNTED - 1;
    matchings *= NUMBER_OF_MATCHINGS[count];
    if (matchings > most) break;
    pattern = pattern * 8 + (int64_t)(count / 2);
    position += (int)count;
  }
  return pattern;
}

/* -- which factor, with which partners ------------------------------------------------------------ */

/* See pairing.choose_factor; `degree` has room for all nodes. */
static int choose_factor(const Packing *packing, const Unpacked *own, int factors, int32_t *degree,
                         int32_t nodes) {
  const int slots = packing->slots, rank = packing->rank;
  const int64_t bound = 2 * (int64_t)factors * rank + 2;
  int64_t least = INT64_MAX;
  int chosen = 0;
  memset(degree, 0, (size_t)nodes * sizeof(int32_t));
  for (int f = 0; f < factors; f++)
    for (int s = 0; s < rank; s++) degree[own->nodes[f * slots + s]]++;
  for (int f = 0; f < factors; f++) {
    if (!own->copies[f] || packing->fixed[own->kinds[f]]) continue;
    int32_t low = INT32_MAX, high = 0;
    for (int s = 0; s < rank; s++) {
      const int32_t here = degree[own->nodes[f * slots + s]];
      if (here < low) low = here;
      if (here > high) high = here;
    }
    const int64_t partners = own->partners[f];
    const int64_t score =
        ((partners * bound + low) * bound - own->copies[f]) * bound + high;
    if (score < least) {
      least = score;
      chosen = f;
    }
  }
  return chosen;
}

/* The largest numbers that rows have: what decides whether twins can be told by one integer. */
typedef struct {
  int32_t kind, copies;
  int32_t local[8];
} Largest;

static void enlarge(const Packing *packing, const Unpacked *own, int factors, Largest *largest) {
  for (int f = 0; f < factors; f++) {
    if (own->kinds[f] > largest->kind) largest->kind = own->kinds[f];
    if (own->copies[f] > largest->copies) largest->copies = own->copies[f];
    for (int s = 0; s < packing->slots; s++)
      if (own->local[f * packing->slots + s] > largest->local[s])
        largest->local[s] = own->local[f * packing->slots + s];
  }
}

static int bit_length(uint32_t value) {
  int bits = 0;
  for (; value; value >>= 1) bits++;
  return bits;
}

/* Whether the factors at a node of a slot fit one integer, see pairing._twins. */
static int tells_twins(const Packing *packing, const Largest *largest, int slot) {
  if (!packing->single[slot]) return 0;
  double combinations = largest->kind + 1;
  for (int s = 0; s < packing->slots; s++)
    if (s != slot) combinations *= largest->local[s] + 1;
  return combinations * bit_length((uint32_t)largest->copies) <= FIELD_BITS;
}

/* For every node of a slot the first of its twins; `fixed` has none. */
static void find_twins(const Packing *packing, const Unpacked *own, int factors,
                       const Largest *largest, int slot, int32_t fixed, uint64_t *signature,
                       int32_t *twin) {
  const int slots = packing->slots, bits = bit_length((uint32_t)largest->copies);
  const int32_t nodes = largest->local[slot] + 1;
  memset(signature, 0, (size_t)nodes * sizeof(uint64_t));
  for (int f = 0; f < factors; f++) {
    uint64_t neighbours = own->kinds[f];
    for (int s = 0; s < slots; s++)
      if (s != slot)
        neighbours = neighbours * (uint64_t)(largest->local[s] + 1) +
                     (uint64_t)own->local[f * slots + s];
    signature[own->local[f * slots + slot]] += (uint64_t)1 << (neighbours * (uint64_t)bits);
  }
  signature[fixed] = UINT64_MAX;
  for (int32_t n = 0; n < nodes; n++) {
    twin[n] = 0;
    while (signature[twin[n]] != signature[n]) twin[n]++;
  }
}

/* For each factor how many partners of the chosen one it stands for, see pairing.partner_counts.
 * `twin` has room for LIMIT nodes in every slot. */
static void count_partners(const Packing *packing, const Unpacked *own, int factors,
                           const Largest *largest, const uint8_t *tells, int chosen,
                           uint64_t *signature, int32_t *twin, int32_t *counts) {
  const int slots = packing->slots, rank = packing->rank;
  memcpy(counts, own->copies, (size_t)factors * sizeof(int32_t));
  const int32_t copies = counts[chosen] - 1;
  counts[chosen] = 0;
  if (copies > 0) counts[chosen + 1 < factors ? chosen + 1 : factors - 1] = copies;
  for (int s = 0; s < rank; s++) {
    int32_t *here = twin + s * LIMIT;
    if (tells[s])
      find_twins(packing, own, factors, largest, s, own->local[chosen * slots + s], signature, here);
    else
      for (int32_t n = 0; n < LIMIT; n++) here[n] = n;
  }
  for (int f = 0; f < factors; f++) {
    if (own->labels[f] != own->labels[chosen]) counts[f] = 0;
    if (!counts[f]) continue;
    for (int g = 0; g < f; g++) {
      if (!counts[g]) continue;
      int same = 1;
      for (int s = 0; s < rank && same; s++)
        same = twin[s * LIMIT + own->local[f * slots + s]] ==
               twin[s * LIMIT + own->local[g * slots + s]];
      if (same) {
        counts[g] += counts[f];
        counts[f] = 0;
        break;
      }
    }
  }
}

/* -- integration by parts ----------------------------------------------------------------------- */

/* The node that stands for each: the least of those that are one with it. */
static int32_t stands_for(const int32_t *up, int32_t node) {
  while (up[node] != node) node = up[node];
  return node;
}

/* The table of representatives, after nodes were identified. */
static void flatten(int32_t *up, int32_t nodes) {
  for (int32_t n = 0; n < nodes; n++) up[n] = up[up[n]]; /* none is larger than its node */
}

static void identify(int32_t *up, const int32_t *first, const int32_t *second, int rank) {
  for (int s = 0; s < rank; s++) {
    const int32_t one = stands_for(up, first[s]), other = stands_for(up, second[s]);
    if (one < other)
      up[other] = one;
    else
      up[one] = other;
  }
}

typedef struct {
  const Packing *packing;
  Room room;
  Unpacked own;
  int32_t *starts, *order, *up, *rest, *loose, *counts, *twin, *degree;
  uint8_t *rest_kinds, *state;
  uint64_t *key, *signature, *row;
  Results *results;
  int64_t results_room;
  Rows rows;
  int64_t parent_first; /* the first way of the diagram at hand */
  int32_t *raw;         /* what its ways were before labelling: rest and free nodes */
  int64_t raw_room;
} Work;

static void free_work(Work *work) {
  free_room(&work->room);
  free(work->own.kinds);
  free(work->own.labels);
  free(work->own.local);
  free(work->own.nodes);
  free(work->own.copies);
  free(work->own.partners);
  free(work->order);
  free(work->up);
  free(work->rest);
  free(work->loose);
  free(work->counts);
  free(work->twin);
  free(work->degree);
  free(work->rest_kinds);
  free(work->state);
  free(work->key);
  free(work->signature);
  free(work->row);
  free(work->raw);
  free(work->rows.rows);
  free(work->rows.slot);
}

static int make_work(Work *work, const Packing *packing, int factors, int left, int32_t *starts,
                     Results *results) {
  const size_t all = (size_t)factors + 1, slots = (size_t)packing->slots;
  const size_t nodes = (size_t)starts[packing->axes] + LIMIT;
  memset(work, 0, sizeof *work);
  memset(results, 0, sizeof *results);
  work->packing = packing;
  work->starts = starts;
  work->results = results;
  if (make_room(&work->room, packing, starts)) return NO_MEMORY;
  work->own.kinds = malloc(all);
  work->own.labels = malloc(all * sizeof(int32_t));
  work->own.local = malloc(all * slots * sizeof(int32_t));
  work->own.nodes = malloc(all * slots * sizeof(int32_t));
  work->own.copies = malloc(all * sizeof(int32_t));
  work->own.partners = malloc(all * sizeof(int32_t));
  work->order = malloc(all * sizeof(int32_t));
  work->up = malloc(nodes * sizeof(int32_t));
  work->rest = malloc(all * slots * sizeof(int32_t));
  work->loose = malloc(((size_t)packing->sizes + 1) * sizeof(int32_t));
  work->counts = malloc(all * sizeof(int32_t));
  work->twin = malloc((slots + 1) * LIMIT * sizeof(int32_t));
  work->degree = malloc(nodes * sizeof(int32_t));
  work->rest_kinds = malloc(all);
  work->state = malloc(nodes);
  work->key = malloc(all * sizeof(uint64_t));
  work->signature = malloc(LIMIT * sizeof(uint64_t));
  work->row = malloc(all * sizeof(uint64_t));
  if (make_rows(&work->rows, left) || !work->own.kinds || !work->own.labels || !work->own.local ||
      !work->own.nodes || !work->own.copies || !work->own.partners || !work->order || !work->up || !work->rest ||
      !work->loose || !work->counts || !work->twin || !work->degree || !work->rest_kinds ||
      !work->state || !work->key || !work->signature || !work->row) {
    free_work(work);
    return NO_MEMORY;
  }
  return DONE;
}

/* A way to integrate: count the free nodes, relabel what is left, label it and keep the result.
 * `deleted` marks the factors that were paired; `work->up` says which nodes are one. Where many ways
 * identify the same nodes (`may_repeat`), they are collected before the costly labelling. */
static int keep_way(Work *work, int64_t parent, int factors, const uint8_t *deleted,
                    int64_t multiplicity, int may_repeat) {
  const Packing *packing = work->packing;
  const int slots = packing->slots, sizes = packing->sizes;
  Results *results = work->results;
  int left = 0;
  memset(work->state, 0, (size_t)work->room.nodes);
  for (int f = 0; f < factors; f++)
    if (deleted[f])
      for (int s = 0; s < slots; s++)
        work->state[work->up[work->own.nodes[f * slots + s]]] = 1;
  for (int f = 0; f < factors; f++)
    if (!deleted[f]) {
      for (int s = 0; s < slots; s++) {
        const int32_t node = work->up[work->own.nodes[f * slots + s]];
        work->rest[left * slots + s] = node;
        work->state[node] = 0;
      }
      work->rest_kinds[left++] = work->own.kinds[f];
    }
  for (int axis = 0; axis < sizes; axis++) {
    work->loose[axis] = 0;
    for (int32_t n = work->starts[axis]; n < work->starts[axis + 1]; n++)
      work->loose[axis] += work->state[n];
  }
  const int64_t width = left * slots + sizes;
  const int64_t known = may_repeat ? results->ways - work->parent_first : 0;
  if (may_repeat && (known + 1) * width > work->raw_room) {
    const int64_t more = 2 * (known + 8) * (width + 1);
    int32_t *raw = realloc(work->raw, (size_t)more * sizeof(int32_t));
    if (!raw) return NO_MEMORY;
    work->raw = raw;
    work->raw_room = more;
  }
  int32_t *raw = work->raw + known * width;
  if (may_repeat) {
    memcpy(raw, work->rest, (size_t)(left * slots) * sizeof(int32_t));
    memcpy(raw + left * slots, work->loose, (size_t)sizes * sizeof(int32_t));
  }
  for (int64_t way = 0; way < known; way++)
    if (!memcmp(work->raw + way * width, raw, (size_t)width * sizeof(int32_t))) {
      results->multiplicity[work->parent_first + way] += multiplicity;
      return DONE;
    }
  label(&work->room, packing, work->rest, work->rest_kinds, left);
  const int failed = code_of(&work->room, work->rest, work->rest_kinds, left, work->row);
  if (failed) return failed;
  const int64_t child = enter_row(&work->rows, work->row);
  if (child < 0) return NO_MEMORY;
  if (results->ways == work->results_room && more_results(results, &work->results_room, sizes))
    return NO_MEMORY;
  results->parent[results->ways] = (int32_t)parent;
  results->child[results->ways] = (int32_t)child;
  results->multiplicity[results->ways] = multiplicity;
  memcpy(results->free + results->ways * sizes, work->loose, (size_t)sizes * sizeof(int32_t));
  results->ways++;
  return DONE;
}

static void nothing_identified(Work *work) {
  for (int32_t n = 0; n < work->room.nodes; n++) work->up[n] = n;
}

static int integrate_one(Work *work, int64_t parent, int factors, const Largest *largest,
                         const uint8_t *tells, uint8_t *deleted) {
  const Packing *packing = work->packing;
  const int slots = packing->slots;
  const int chosen = choose_factor(packing, &work->own, factors, work->degree, work->room.nodes);
  count_partners(packing, &work->own, factors, largest, tells, chosen, work->signature, work->twin,
                 work->counts);
  for (int partner = 0; partner < factors; partner++) {
    if (!work->counts[partner]) continue;
    nothing_identified(work);
    identify(work->up, work->own.nodes + chosen * slots, work->own.nodes + partner * slots,
             packing->rank);
    flatten(work->up, work->room.nodes);
    deleted[chosen] = deleted[partner] = 1;
    const int failed = keep_way(work, parent, factors, deleted, work->counts[partner], 0);
    deleted[chosen] = deleted[partner] = 0;
    if (failed) return failed;
  }
  return DONE;
}

/* Pair the factors order[from], ... of the tensors that are left in a pattern, in all ways;
 * `pairs` holds the pairs so far. */
static int integrate_all(Work *work, int64_t parent, int factors, uint8_t *deleted, int32_t *pairs,
                         int count, const int32_t *ends, int position) {
  const Packing *packing = work->packing;
  const int slots = packing->slots;
  while (position < ends[0] && deleted[work->order[position]]) position++;
  if (position == ends[0]) {
    if (ends[1] > ends[0])
      return integrate_all(work, parent, factors, deleted, pairs, count, ends + 1, position);
    nothing_identified(work);
    for (int pair = 0; pair < count; pair++)
      identify(work->up, work->own.nodes + pairs[2 * pair] * slots,
               work->own.nodes + pairs[2 * pair + 1] * slots, packing->rank);
    flatten(work->up, work->room.nodes);
    return keep_way(work, parent, factors, deleted, 1, 1);
  }
  const int32_t first = work->order[position];
  deleted[first] = 1;
  for (int other = position + 1; other < ends[0]; other++) {
    const int32_t second = work->order[other];
    if (deleted[second]) continue;
    deleted[second] = 1;
    pairs[2 * count] = first;
    pairs[2 * count + 1] = second;
    const int failed =
        integrate_all(work, parent, factors, deleted, pairs, count + 1, ends, position + 1);
    deleted[second] = 0;
    if (failed) return failed;
  }
  deleted[first] = 0;
  return DONE;
}

/* -- what kernel.py calls ------------------------------------------------------------------------ */

PUBLIC int diagflow_version(void) { return VERSION; }

/* The first number of every axis of some rows (axes + 1 numbers), and for each row the pattern of the
 * tensors that are integrated at once. */
PUBLIC int diagflow_patterns(const Packing *packing, const uint64_t *codes, int64_t count,
                             int32_t factors, int32_t most, int32_t *starts, int64_t *patterns) {
  Work work;
  Results none;
  find_starts(packing, codes, count, factors, starts);
  if (make_work(&work, packing, factors, 0, starts, &none)) return NO_MEMORY;
  for (int64_t i = 0; i < count; i++) {
    unpack(packing, codes + i * factors, factors, NULL, &work.own);
    patterns[i] = nearly_finished(packing, &work.own, factors, most, work.order, work.key);
  }
  free_work(&work);
  return DONE;
}

/* Integrate the rows that have one pattern: one factor where it is zero, some tensors elsewhere.
 * `chosen` are the positions of the rows, which results name as parents. */
PUBLIC int diagflow_integrate(const Packing *packing, const uint64_t *codes, const int64_t *chosen,
                              int64_t count, int32_t factors, int32_t *starts, int64_t pattern,
                              Results *results) {
  Work work;
  int32_t ends[MOST_TENSORS + 2], pairs[2 * COUNTED * MOST_TENSORS];
  uint8_t tells[8] = {0};
  int tensors = 0, paired = 0, failed = DONE;
  for (int64_t digits = pattern; digits; digits >>= 3) tensors++;
  for (int tensor = 0; tensor < tensors; tensor++) {
    paired += 2 * (int)((pattern >> (3 * (tensors - 1 - tensor))) & 7);
    ends[tensor] = paired;
  }
  ends[tensors] = paired;
  const int left = factors - (pattern ? paired : 2);
  if (make_work(&work, packing, factors, left, starts, results)) return NO_MEMORY;
  uint8_t *deleted = calloc((size_t)factors + 1, 1);
  if (!deleted) {
    free_work(&work);
    return NO_MEMORY;
  }
  Largest largest;
  memset(&largest, 0, sizeof largest);
  largest.copies = 1;
  if (!pattern) {
    for (int64_t i = 0; i < count; i++) {
      unpack(packing, codes + chosen[i] * factors, factors, NULL, &work.own);
      enlarge(packing, &work.own, factors, &largest);
    }
    for (int s = 0; s < packing->rank; s++) tells[s] = (uint8_t)tells_twins(packing, &largest, s);
  }
  for (int64_t i = 0; i < count && !failed; i++) {
    unpack(packing, codes + chosen[i] * factors, factors, starts, &work.own);
    work.parent_first = results->ways;
    if (pattern) {
      nearly_finished(packing, &work.own, factors, 0, work.order, work.key);
      failed = integrate_all(&work, chosen[i], factors, deleted, pairs, 0, ends, 0);
    } else {
      failed = integrate_one(&work, chosen[i], factors, &largest, tells, deleted);
    }
  }
  results->distinct = work.rows.count;
  results->codes = work.rows.rows;
  work.rows.rows = NULL;
  free(deleted);
  free_work(&work);
  if (failed) diagflow_free_results(results);
  return failed;
}

/* The codes of diagrams whose nodes are numbered through from `starts`; see Packing.pack. */
PUBLIC int diagflow_pack(const Packing *packing, const int64_t *nodes, const uint8_t *kinds,
                         int64_t count, int32_t factors, int32_t *starts, uint64_t *codes) {
  Room room;
  const int width = factors * packing->slots;
  int failed = DONE;
  int32_t *own = malloc(((size_t)width + 1) * sizeof(int32_t));
  if (!own) return NO_MEMORY;
  if (make_room(&room, packing, starts)) {
    free(own);
    return NO_MEMORY;
  }
  for (int64_t i = 0; i < count && !failed; i++) {
    for (int place = 0; place < width; place++) own[place] = (int32_t)nodes[i * width + place];
    label(&room, packing, own, kinds + i * factors, factors);
    failed = code_of(&room, own, kinds + i * factors, factors, codes + i * factors);
  }
  free_room(&room);
  free(own);
  return failed;
}

/* -- numbers of rows ----------------------------------------------------------------------------- */

PUBLIC Rows *diagflow_rows_make(int32_t width) {
  Rows *rows = malloc(sizeof *rows);
  if (rows && make_rows(rows, width)) {
    free(rows);
    return NULL;
  }
  return rows;
}

PUBLIC void diagflow_rows_free(Rows *rows) {
  free(rows->rows);
  free(rows->slot);
  free(rows);
}

/* The numbers of some rows, new ones entered. */
PUBLIC int diagflow_rows_enter(Rows *rows, const uint64_t *codes, int64_t count, int32_t *numbers) {
  for (int64_t i = 0; i < count; i++) {
    const int64_t number = enter_row(rows, codes + i * rows->width);
    if (number < 0) return NO_MEMORY;
    numbers[i] = (int32_t)number;
  }
  return DONE;
}

PUBLIC int64_t diagflow_rows_count(const Rows *rows) { return rows->count; }

PUBLIC const uint64_t *diagflow_rows_at(const Rows *rows, int64_t number) {
  return rows->rows + number * rows->width;
}

/* -- passing coefficients on --------------------------------------------------------------------- */

/* target[child] += multiplicity * source[parent] << shifts[shift] for all ways. Numbers are rows of
 * 64-bit limbs, the lowest first, in two's complement; those of the target are wide enough. */
PUBLIC int diagflow_pass(const uint64_t *source, int64_t source_limbs, uint64_t *target,
                         int64_t target_limbs, const int32_t *parent, const int32_t *child,
                         const int64_t *multiplicity, const int32_t *shift, const int64_t *shifts,
                         int64_t ways) {
  uint64_t *product = malloc(((size_t)source_limbs + 3) * sizeof(uint64_t));
  if (!product) return NO_MEMORY;
  for (int64_t way = 0; way < ways; way++) {
    const uint64_t *row = source + parent[way] * source_limbs;
    const int is_negative = (int)(row[source_limbs - 1] >> 63);
    const uint64_t above = is_negative ? UINT64_MAX : 0;
    int64_t last = source_limbs, first = 0;
    while (last > 0 && row[last - 1] == above) last--;
    while (first < last && !row[first]) first++;
    if (first == last && !is_negative) continue;
    /* Minus a power of 2^64 has no limb that differs from those above it. */
    if (first == last) last++;
    const int64_t factor = multiplicity[way];
    const uint64_t size = factor < 0 ? 0 - (uint64_t)factor : (uint64_t)factor;
    uint64_t carry = 0, borrow = 1;
    int64_t count = 0;
    for (int64_t i = first; i < last; i++) {
      uint64_t limb = row[i];
      if (is_negative) {
        limb = ~limb + borrow;
        borrow = borrow && !limb;
      }
      const unsigned __int128 value = (unsigned __int128)limb * size + carry;
      product[count++] = (uint64_t)value;
      carry = (uint64_t)(value >> 64);
    }
    product[count++] = carry;
    const int64_t bits = shifts[shift[way]];
    const int left = (int)(bits % 64);
    if (left) {
      product[count] = 0;
      for (int64_t i = count; i > 0; i--)
        product[i] = (product[i] << left) | (product[i - 1] >> (64 - left));
      product[0] <<= left;
      count++;
    }
    uint64_t *into = target + child[way] * target_limbs + first + bits / 64;
    int64_t room = target_limbs - first - bits / 64;
    carry = 0;
    if (is_negative == (factor < 0)) {
      for (int64_t i = 0; i < room && (i < count || carry); i++) {
        const uint64_t add = i < count ? product[i] : 0, sum = into[i] + add, with = sum + carry;
        carry = (sum < add) | (with < sum);
        into[i] = with;
      }
    } else {
      for (int64_t i = 0; i < room && (i < count || carry); i++) {
        const uint64_t take = i < count ? product[i] : 0, old = into[i], rest = old - take;
        into[i] = rest - carry;
        carry = (old < take) | (rest < carry);
      }
    }
  }
  free(product);
  return DONE;
}

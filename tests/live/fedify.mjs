// A server made with Fedify, an ActivityPub library of other people: it keeps what it receives, and does what it is told
// at /told, which answers with what came of it. It listens on this machine alone. The port comes in the arguments' place.
import { createServer } from 'node:http'
import { createFederation, generateCryptoKeyPair, getDocumentLoader, MemoryKvStore } from '@fedify/fedify'
import {
  Accept, Activity, Announce, Create, Delete, Endpoints, Follow, InteractionPolicy, InteractionRule, Like, Mention, Move,
  Note, Person, PUBLIC_COLLECTION, QuoteAuthorization, QuoteRequest, Tombstone, Undo, Update,
} from '@fedify/fedify/vocab'
import { Temporal } from '@js-temporal/polyfill'

const port = Number(process.argv[2])
const origin = new URL(`http://localhost:${port}`)
const people = new Map()
const notes = new Map()
const agreements = new Map()
const received = []
let made = 0

const federation = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true })

federation
  .setActorDispatcher('/people/{identifier}', async (ctx, identifier) => {
    const person = people.get(identifier)
    if (!person) return null
    const keys = await ctx.getActorKeyPairs(identifier)
    return new Person({
      id: ctx.getActorUri(identifier), preferredUsername: identifier, name: identifier, url: ctx.getActorUri(identifier),
      inbox: ctx.getInboxUri(identifier), endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      followers: ctx.getFollowersUri(identifier), publicKey: keys[0].cryptographicKey,
      assertionMethods: keys.map((key) => key.multikey), aliases: person.aliases, successor: person.successor,
    })
  })
  .setKeyPairsDispatcher((_, identifier) => people.get(identifier)?.keys ?? [])

federation.setFollowersDispatcher('/people/{identifier}/followers', (_, identifier) => {
  const person = people.get(identifier)
  return person ? { items: [...person.followers.values()] } : null
})
federation.setObjectDispatcher(Note, '/people/{identifier}/notes/{note}', (_, values) => notes.get(values.note) ?? null)
federation.setObjectDispatcher(
  QuoteAuthorization, '/people/{identifier}/agreements/{agreement}', (_, values) => agreements.get(values.agreement) ?? null,
)

// Whoever is asked to be followed or quoted says yes; the rest is only kept.
federation.setInboxListeners('/people/{identifier}/inbox', '/inbox').on(Activity, async (ctx, activity) => {
  received.push(await activity.toJsonLd())
  if (activity instanceof Follow) {
    const name = ctx.parseUri(activity.objectId)?.identifier
    const follower = await activity.getActor(ctx)
    people.get(name).followers.set(follower.id.href, follower)
    await send(ctx, name, [follower], new Accept({ id: fresh(name, 'accepts'), actor: ctx.getActorUri(name), object: activity }))
  } else if (activity instanceof Undo) {
    const undone = await activity.getObject(ctx)
    if (undone instanceof Follow) people.get(ctx.parseUri(undone.objectId)?.identifier)?.followers.delete(undone.actorId.href)
  } else if (activity instanceof QuoteRequest) {
    const name = ctx.parseUri(activity.objectId)?.values.identifier
    const agreement = `${++made}`
    const result = new QuoteAuthorization({
      id: ctx.getObjectUri(QuoteAuthorization, { identifier: name, agreement }), attribution: ctx.getActorUri(name),
      interactingObject: activity.instrumentId, interactionTarget: activity.objectId,
    })
    agreements.set(agreement, result)
    await send(ctx, name, [await activity.getActor(ctx)], new Accept({
      id: fresh(name, 'accepts'), actor: ctx.getActorUri(name), object: activity, result: result.id,
    }))
  }
})

const fresh = (name, what) => new URL(`/people/${name}/${what}/${++made}`, origin)
const key = (uri) => uri.split('/').at(-1)
const send = (ctx, by, to, activity) => ctx.sendActivity({ identifier: by }, to, activity, { preferSharedInbox: true })
const followers = (by) => [...people.get(by).followers.values()]

async function author(ctx, uri) {
  const found = await ctx.lookupObject(uri)
  return found instanceof Person ? found : found.getAttribution(ctx)
}

async function written(ctx, by, text, more = {}) {
  const note = `${++made}`
  const id = ctx.getObjectUri(Note, { identifier: by, note })
  const answered = more.answers ? await author(ctx, more.answers) : null
  const everybody = new InteractionRule({ automaticApprovals: [PUBLIC_COLLECTION] })
  notes.set(note, new Note({
    id, url: id, attribution: ctx.getActorUri(by), content: `<p>${text}</p>`, to: PUBLIC_COLLECTION,
    ccs: [ctx.getFollowersUri(by), ...(answered ? [answered.id] : [])], published: Temporal.Now.instant(),
    replyTarget: more.answers ? new URL(more.answers) : null,
    tags: answered ? [new Mention({ href: answered.id, name: answered.preferredUsername.toString() })] : [],
    quote: more.quotes ? new URL(more.quotes) : null, interactionPolicy: new InteractionPolicy({ canQuote: everybody }),
  }))
  return { note: notes.get(note), answered }
}

const publish = (ctx, by, note, also = []) => send(ctx, by, [...followers(by), ...also], new Create({
  id: new URL(`${note.id.href}#create`), actor: ctx.getActorUri(by), object: note, tos: note.toIds, ccs: note.ccIds,
}))

const deeds = {
  async settle(ctx, { by, aliases = [] }) {
    const keys = [await generateCryptoKeyPair('RSASSA-PKCS1-v1_5'), await generateCryptoKeyPair('Ed25519')]
    people.set(by, { keys, followers: new Map(), aliases: aliases.map((one) => new URL(one)), successor: null })
    return { id: ctx.getActorUri(by).href, handle: `${by}@${origin.host}` }
  },
  async follow(ctx, { by, what }) {
    const id = fresh(by, 'follows')
    await send(ctx, by, [await author(ctx, what)], new Follow({ id, actor: ctx.getActorUri(by), object: new URL(what) }))
    return { id: id.href }
  },
  async post(ctx, { by, text, answers }) {
    const { note, answered } = await written(ctx, by, text, { answers })
    await publish(ctx, by, note, answered ? [answered] : [])
    return { id: note.id.href }
  },
  async like(ctx, { by, what }) {
    const id = fresh(by, 'likes')
    await send(ctx, by, [await author(ctx, what)], new Like({ id, actor: ctx.getActorUri(by), object: new URL(what) }))
    return { id: id.href }
  },
  async boost(ctx, { by, what }) {
    const id = fresh(by, 'boosts')
    await send(ctx, by, [...followers(by), await author(ctx, what)], new Announce({
      id, actor: ctx.getActorUri(by), object: new URL(what), to: PUBLIC_COLLECTION, cc: ctx.getFollowersUri(by),
      published: Temporal.Now.instant(),
    }))
    return { id: id.href }
  },
  async unlike(ctx, { by, what, id }) {
    const like = new Like({ id: new URL(id), actor: ctx.getActorUri(by), object: new URL(what) })
    await send(ctx, by, [await author(ctx, what)], new Undo({ id: fresh(by, 'undos'), actor: ctx.getActorUri(by), object: like }))
    return {}
  },
  async edit(ctx, { by, id, text }) {
    const note = notes.get(key(id)).clone({ content: `<p>${text}</p>`, updated: Temporal.Now.instant() })
    notes.set(key(id), note)
    await send(ctx, by, followers(by), new Update({
      id: fresh(by, 'updates'), actor: ctx.getActorUri(by), object: note, tos: note.toIds, ccs: note.ccIds,
    }))
    return {}
  },
  async remove(ctx, { by, id }) {
    const note = notes.get(key(id))
    notes.delete(key(id))
    const answered = note.replyTargetId ? [await author(ctx, note.replyTargetId.href)] : []
    await send(ctx, by, [...followers(by), ...answered], new Delete({
      id: new URL(`${id}#delete`), actor: ctx.getActorUri(by), object: new Tombstone({ id: new URL(id) }), to: PUBLIC_COLLECTION,
    }))
    return {}
  },
  // First one asks; `publish` tells the rest, when there is an answer.
  async quote(ctx, { by, what, text }) {
    const { note } = await written(ctx, by, text, { quotes: what })
    const id = fresh(by, 'quote_requests')
    await send(ctx, by, [await author(ctx, what)], new QuoteRequest({
      id, actor: ctx.getActorUri(by), object: new URL(what), instrument: note,
    }))
    return { id: note.id.href, request: id.href }
  },
  async publish(ctx, { by, id, agreement }) {
    const note = notes.get(key(id)).clone({ quoteAuthorization: new URL(agreement) })
    notes.set(key(id), note)
    await publish(ctx, by, note)
    return {}
  },
  async move(ctx, { by, to }) {
    people.get(by).successor = new URL(to)
    await send(ctx, by, followers(by), new Move({
      id: fresh(by, 'moves'), actor: ctx.getActorUri(by), object: ctx.getActorUri(by), target: new URL(to),
      to: ctx.getFollowersUri(by),
    }))
    return {}
  },
  async look(ctx, { what }) {
    // Left to itself, Fedify believes for five minutes what a document said.
    const found = await ctx.lookupObject(what, { documentLoader: getDocumentLoader({ allowPrivateAddress: true }) })
    return { id: found?.id.href, moved: found?.successorId?.href }
  },
  received: async () => received,
}

createServer(async (incoming, answer) => {
  const chunks = []
  for await (const chunk of incoming) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  try {
    if (incoming.url === '/told') {
      const { does, ...rest } = JSON.parse(body)
      const ctx = federation.createContext(origin, undefined)
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify(await deeds[does](ctx, rest)))
      return
    }
    const request = new Request(new URL(incoming.url, origin), {
      method: incoming.method, headers: incoming.headers, body: body.length ? body : undefined,
    })
    const response = await federation.fetch(request, { contextData: undefined })
    answer.writeHead(response.status, Object.fromEntries(response.headers))
    answer.end(Buffer.from(await response.arrayBuffer()))
  } catch (error) {
    console.error(incoming.url, error)
    answer.writeHead(500).end(String(error))
  }
}).listen(port, 'localhost', () => console.log('Fedify serves'))

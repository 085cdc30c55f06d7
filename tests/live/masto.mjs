// A day with masto: one JSON line in the arguments' place says where and who; each step is printed as it is done.
import assert from 'node:assert/strict'
import { createRestAPIClient, createStreamingAPIClient } from 'masto'

const { origin, token, other, picture, push } = JSON.parse(process.argv[2])
const client = createRestAPIClient({ url: origin, accessToken: token })
const friend = createRestAPIClient({ url: origin, accessToken: other })
const done = (what) => console.log(`masto: ${what}`)

const me = await client.v1.accounts.verifyCredentials()
const instance = await client.v2.instance.fetch()
assert.ok(instance.apiVersions.mastodon >= 7)
done('signed in, and knows the city')

const streaming = createStreamingAPIClient({
  streamingApiUrl: instance.configuration.urls.streaming, accessToken: token,
})
const heard = []
const user = streaming.user.subscribe()
const listening = (async () => { for await (const event of user) heard.push(event) })()
await streaming.prepare()
const first = await client.v1.statuses.create({ status: 'Le marché ouvre.', visibility: 'public', language: 'fr' })
// The client does not say when the server has heard what it asked for: the first post may come too early.
let second
for (let tries = 0; tries < 20 && heard.length === 0; tries++) {
  second = await client.v1.statuses.create({ status: 'Et le pain est chaud.', visibility: 'public' })
  for (let waited = 0; waited < 20 && heard.length === 0; waited++) await new Promise((resolve) => setTimeout(resolve, 50))
}
assert.ok(heard.some((event) => event.event === 'update'), 'nothing came by the stream')
done('hears by the stream what is posted')

const file = new Blob([Buffer.from(picture, 'base64')], { type: 'image/png' })
const media = await client.v2.media.create({ file, description: 'Un carré bleu.' })
const shown = await client.v1.statuses.create({ status: 'Vu ce matin', mediaIds: [media.id] })
assert.equal(shown.mediaAttachments[0].description, 'Un carré bleu.')
const asked = await client.v1.statuses.create({
  status: 'Pain ou brioche ?', poll: { options: ['pain', 'brioche'], expiresIn: 3600, multiple: false },
})
const voted = await friend.v1.polls.$select(asked.poll.id).votes.create({ choices: [1] })
assert.deepEqual(voted.ownVotes, [1])
done('posts with a picture and with a poll; a friend votes')

const filter = await client.v2.filters.create({
  title: 'Pas de brioche', context: ['home', 'public'], filterAction: 'warn', keywordsAttributes: [{ keyword: 'brioche', wholeWord: true }],
})
assert.equal(filter.keywords[0].keyword, 'brioche')
const list = await client.v1.lists.create({ title: 'Voisins' })
const them = await friend.v1.accounts.verifyCredentials()
await client.v1.accounts.$select(them.id).follow()
await client.v1.lists.$select(list.id).accounts.create({ accountIds: [them.id] })
assert.equal((await client.v1.lists.$select(list.id).accounts.list())[0].id, them.id)
const news = await friend.v1.statuses.create({ status: 'La brioche aussi.', visibility: 'public' })
const home = await client.v1.timelines.home.list()
assert.equal(home.find((status) => status.id === news.id).filtered[0].filter.title, 'Pas de brioche')
assert.equal((await client.v1.timelines.list.$select(list.id).list())[0].id, news.id)
done('filters, lists and their timelines')

const later = await client.v1.statuses.create({ status: 'Demain.', scheduledAt: new Date(Date.now() + 3600e3).toISOString() })
assert.equal((await client.v1.scheduledStatuses.list())[0].id, later.id)
await client.v1.scheduledStatuses.$select(later.id).remove()
assert.ok((await client.v2.search.list({ q: 'marché', type: 'statuses' })).statuses.some((status) => status.id === first.id))
done('scheduled posts and search')

const subscribed = await client.v1.push.subscription.create({ subscription: push, data: { alerts: { mention: true, favourite: true } } })
assert.equal(subscribed.endpoint, push.endpoint)
assert.equal((await client.v1.push.subscription.fetch()).alerts.mention, true)
await client.v1.push.subscription.remove()
done('a push subscription')

const edited = await client.v1.statuses.$select(second.id).update({ status: 'Et le pain est froid.' })
assert.ok(edited.editedAt)
assert.equal((await client.v1.statuses.$select(second.id).history.list()).length, 2)
const quoting = await client.v1.statuses.create({ status: 'Voyez :', quotedStatusId: first.id })
assert.equal(quoting.quote.quotedStatus.id, first.id)
await client.v1.statuses.$select(news.id).bookmark()
await client.v1.statuses.$select(news.id).favourite()
await client.v1.statuses.$select(news.id).reblog()
assert.equal((await client.v1.bookmarks.list())[0].id, news.id)
const groups = await friend.v2.notifications.list()
assert.ok(groups.notificationGroups.some((group) => group.type === 'favourite'))
assert.equal((await client.v1.accounts.$select(me.id).statuses.list({ limit: 2 })).length, 2)
await client.v1.statuses.$select(quoting.id).remove()
done('edit, quote, bookmark, favourite, reblog, grouped notifications, delete')

user.unsubscribe()
streaming.close()
await listening

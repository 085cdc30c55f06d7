// A day with megalodon: the argument says where and who; each step is printed as it is done.
import assert from 'node:assert/strict'
import { createReadStream, writeFileSync } from 'node:fs'
import generator, { detector } from 'megalodon'

const { origin, token, other, picture, push, folder } = JSON.parse(process.argv[2])
const kind = await detector(origin)
assert.equal(kind, 'mastodon')
const client = generator(kind, origin, token)
const friend = generator(kind, origin, other)
const done = (what) => console.log(`megalodon: ${what}`)

const me = (await client.verifyAccountCredentials()).data
assert.ok((await client.getInstance()).data.uri)
done('takes the city for Mastodon, is signed in')

const stream = await client.userStreaming()
const heard = []
stream.on('update', (status) => heard.push(status.id))
await new Promise((resolve, reject) => { stream.on('connect', resolve); stream.on('error', reject) })
let first
// The client does not say when the server has heard what it asked for: the first post may come too early.
for (let tries = 0; tries < 20 && heard.length === 0; tries++) {
  first = (await client.postStatus('La fontaine coule.', { visibility: 'public', language: 'fr' })).data
  for (let waited = 0; waited < 20 && heard.length === 0; waited++) await new Promise((resolve) => setTimeout(resolve, 50))
}
assert.ok(heard.length > 0, 'nothing came by the stream')
stream.stop()
done('hears by the stream what is posted')

writeFileSync(`${folder}/blue.png`, Buffer.from(picture, 'base64'))
const media = (await client.uploadMedia(createReadStream(`${folder}/blue.png`), { description: 'Un carré bleu.' })).data
const shown = (await client.postStatus('Vue de face', { media_ids: [media.id] })).data
assert.equal(shown.media_attachments[0].description, 'Un carré bleu.')
const asked = (await client.postStatus('Eau ou vin ?', { poll: { options: ['eau', 'vin'], expires_in: 3600 } })).data
assert.deepEqual((await friend.votePoll(asked.poll.id, [0])).data.own_votes, [0])
done('posts with a picture and with a poll; a friend votes')

const filter = (await client.createFilter('vinaigre', ['home'], { whole_word: true })).data
assert.equal((await client.getFilter(filter.id)).data.phrase, 'vinaigre')
const them = (await friend.verifyAccountCredentials()).data
await client.followAccount(them.id)
const list = (await client.createList('Amis')).data
await client.addAccountsToList(list.id, [them.id])
assert.equal((await client.getAccountsInList(list.id)).data[0].id, them.id)
const news = (await friend.postStatus('Le vin arrive.', { visibility: 'public' })).data
assert.ok((await client.getListTimeline(list.id)).data.some((status) => status.id === news.id))
assert.ok((await client.getHomeTimeline()).data.some((status) => status.id === news.id))
done('filters of the first kind (it knows no others), lists and their timelines')

const later = (await client.postStatus('Demain.', { scheduled_at: new Date(Date.now() + 3600e3).toISOString() })).data
assert.ok((await client.getScheduledStatuses()).data.some((one) => one.id === later.id))
await client.cancelScheduledStatus(later.id)
assert.ok((await client.search('fontaine', { type: 'statuses' })).data.statuses.some((status) => status.id === first.id))
done('scheduled posts and search')

const subscribed = (await client.subscribePushNotification(push, { alerts: { mention: true } })).data
assert.equal(subscribed.endpoint, push.endpoint)
await client.deletePushSubscription()
done('a push subscription')

assert.ok((await client.editStatus(first.id, { status: 'La fontaine coule encore.' })).data.edited_at)
await client.bookmarkStatus(news.id)
await client.favouriteStatus(news.id)
await client.reblogStatus(news.id)
assert.ok((await client.getBookmarks()).data.some((status) => status.id === news.id))
assert.ok((await friend.getNotifications()).data.some((one) => one.type === 'favourite' && one.account.id === me.id))
await client.deleteStatus(shown.id)
done('edit, bookmark, favourite, reblog, notifications, delete; quotes it cannot make on Mastodon')
process.exit(0)

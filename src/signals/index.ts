export { signalTasks } from './tasks.ts'
